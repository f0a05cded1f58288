// What a program makes of many numbers; the one list of it. lib/backends/protocol.ts is its twin.
#pragma once
#include <cstddef>
#include <cstdint>

namespace native_rnn {

enum class Reduction : uint8_t {
  sum,
  mean,
  max, // NaN where any is
  min,
  prod,
  l1,        // Σ |x|
  l2,        // √Σ x²
  sumSquare, // Σ x²
  logSumExp  // log Σ e^x
};
constexpr size_t reductions = size_t(Reduction::logSumExp) + 1;

} // namespace native_rnn
