// The weight types as the kernels read them: what is stored, and how a vector of it becomes floats. One row a type, in
// the order of WeightType; how an instruction set widens them stands beside its Vec.
#pragma once
#include "../../spec/compiler.h"
#include "../../spec/weight_type.h"

namespace {

using namespace native_rnn;

struct F32 {
  using Stored = float;
  static constexpr WeightType type = WeightType::f32;
  // Whether a row's step fuses product and cell: one function for each cell and number of panels. Others go through
  // memory between the two, which takes a third of the code.
  static constexpr bool fusesRowSteps = true;
  // Whether sums start at 0, and end as bias + scale · sum.
  static constexpr bool hasScales = false;
  // The most rows that are multiplied one by one: tiles of several rows pay from there on.
  static constexpr size_t mostSingleRows = 1;
  template <class V>
  static RNN_INLINE V load(const Stored* w) {
    return V::load(w);
  }
};

// Narrower types are widened when they are read, for a tile of rows a piece of them at a time.
struct F16 {
  using Stored = uint16_t;
  static constexpr WeightType type = WeightType::f16;
  static constexpr bool hasScales = false;
  template <class V>
  static RNN_INLINE V load(const Stored* w) {
    return V::loadHalves(w);
  }
};

// Two inputs' in one number: an operation widens each.
struct BF16 {
  using Stored = uint32_t;
  static constexpr WeightType type = WeightType::bf16;
  static constexpr bool hasScales = false;
  template <class V>
  struct Pair {
    V first, second;
  };
  template <class V>
  static RNN_INLINE Pair<V> loadPair(const Stored* w) {
    const V both = V::loadBits(w);
    return {both.lowHalves(), both.highHalves()};
  }
  template <class V>
  static RNN_INLINE V load(const Stored* w, bool second) {
    const V both = V::loadBits(w);
    return second ? both.highHalves() : both.lowHalves();
  }
};

struct Int8 {
  using Stored = int8_t;
  static constexpr WeightType type = WeightType::int8;
  static constexpr bool hasScales = true;
  template <class V>
  static RNN_INLINE V load(const Stored* w) {
    return V::loadInt8(w);
  }
};

// Four inputs' int8 in one number: quads.h multiplies them with inputs in int8.
struct Int8Quads {
  using Stored = int32_t;
  static constexpr WeightType type = WeightType::int8Quads;
  static constexpr bool fusesRowSteps = false, hasScales = true;
  static constexpr size_t mostSingleRows = 1;
};

// One of F16, BF16 and Int8, as PackedView::type says: what is around their products is one code for all of them.
struct Narrow {
  static constexpr bool fusesRowSteps = false;
  static constexpr size_t mostSingleRows = 2;
};
// Calls visit(type) with the one that it is.
template <class Visit>
RNN_INLINE auto withNarrowType(WeightType type, const Visit& visit) {
  return type == WeightType::f16 ? visit(F16{}) : type == WeightType::bf16 ? visit(BF16{}) : visit(Int8{});
}

// Inputs whose weights lie together, where they are widened.
template <class W>
constexpr size_t groupSize = weightTypeTraits(W::type).groupSize;
template <class W>
constexpr bool isNarrow = false;
template <>
constexpr bool isNarrow<Narrow> = true;
template <class W>
constexpr bool isQuads = false;
template <>
constexpr bool isQuads<Int8Quads> = true;

// Calls visit(code) with what serves each weight type, in the order of WeightType.
template <class Visit>
constexpr void forEachWeightType(const Visit& visit) {
  visit(F32{});
  visit(Narrow{});
  visit(Narrow{});
  visit(Narrow{});
  visit(Int8Quads{});
}

} // namespace
