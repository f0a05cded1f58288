// The weight types as the kernels read them: what is stored, and how a vector of it becomes floats. One row a type, in
// the order of WeightType; a type whose reading an instruction set does by itself overloads load() beside its Vec.
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
  template <class V>
  static RNN_INLINE V load(const Stored* w) {
    return V::load(w);
  }
};

// Calls visit(type) for every weight type.
template <class Visit>
constexpr void forEachWeightType(const Visit& visit) {
  visit(F32{});
}

} // namespace
