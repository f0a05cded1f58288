// How a matrix's weights are kept in memory; the one list of the kinds that there are. kernels/matmul/weights.h reads
// them.
#pragma once
#include <cstddef>
#include <cstdint>

namespace native_rnn {

enum class WeightType : uint8_t { f32 };

struct WeightTypeTraits {
  const char* name; // as in the public option
  size_t bytes;     // of one weight
};

// In the order of WeightType.
constexpr WeightTypeTraits weightTypeTable[] = {
    {"f32", 4},
};
constexpr size_t weightTypes = sizeof weightTypeTable / sizeof *weightTypeTable;
static_assert(weightTypes == size_t(WeightType::f32) + 1, "each weight type has a row");

static constexpr const WeightTypeTraits& weightTypeTraits(WeightType type) { return weightTypeTable[size_t(type)]; }

} // namespace native_rnn
