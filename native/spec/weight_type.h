// How a matrix's weights are kept in memory; the one list of the kinds that there are. kernels/matmul/weights.h reads
// them, matmul/weight_rounding.h makes them.
#pragma once
#include <cstddef>
#include <cstdint>

namespace native_rnn {

// The last one is int8 beside activations in int8: four inputs of an output lie together.
enum class WeightType : uint8_t { f32, f16, bf16, int8, int8Quads };

// What a layer's inputs and states are rounded to before a product.
enum class ActivationType : uint8_t { f32, int8 };
constexpr size_t activationTypes = size_t(ActivationType::int8) + 1;

struct WeightTypeTraits {
  const char* name;
  size_t groupBytes; // of the weights that lie together …
  size_t groupSize;  // … and how many these are
  bool hasScales;    // each row (a gate of an output) has a factor
};

// In the order of WeightType.
constexpr WeightTypeTraits weightTypeTable[] = {
    {"f32", 4, 1, false}, {"f16", 2, 1, false}, {"bf16", 4, 2, false}, {"int8", 1, 1, true}, {"int8Quads", 4, 4, true},
};
constexpr size_t weightTypes = sizeof weightTypeTable / sizeof *weightTypeTable;
static_assert(weightTypes == size_t(WeightType::int8Quads) + 1, "each weight type has a row");
// Those that can be asked for.
constexpr size_t publicWeightTypes = size_t(WeightType::int8) + 1;

static constexpr const WeightTypeTraits& weightTypeTraits(WeightType type) { return weightTypeTable[size_t(type)]; }

// In what a layer's weights and activations are kept.
struct Precision {
  WeightType weights = WeightType::f32;
  ActivationType activations = ActivationType::f32;
  constexpr bool isPossible() const { return activations == ActivationType::f32 || weights == WeightType::int8; }
  // How its matrices lie in memory.
  constexpr WeightType packed() const { return activations == ActivationType::int8 ? WeightType::int8Quads : weights; }
};

} // namespace native_rnn
