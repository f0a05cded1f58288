// The functions of two numbers that a program computes; the one list of them. lib/backends/protocol.ts is its twin.
#pragma once
#include <cstddef>
#include <cstdint>

namespace native_rnn {

enum class ZipFunction : uint8_t {
  add,
  sub,
  mul,
  div,
  pow,
  mod,  // of integers, with the sign of the divisor
  fmod, // with the sign of the dividend
  min,  // NaN where either is
  max,
  prelu, // a, below 0 a · b
  logicalAnd,
  logicalOr,
  logicalXor,
  equal, // from here on the result is a bool
  less,
  lessOrEqual,
  greater,
  greaterOrEqual
};
constexpr size_t zipFunctions = size_t(ZipFunction::greaterOrEqual) + 1;
constexpr size_t comparisons = zipFunctions - size_t(ZipFunction::equal);

} // namespace native_rnn
