// Absolute value, rounding, and the smaller and larger of two over a vector type: exact, with every NaN and zero told
// apart as the callers need it.
#pragma once
#include "../../spec/compiler.h"

namespace {

// Added to a float of a smaller size, it rounds that to the nearest whole number, half to even, which is in the lowest
// bits.
constexpr float wholeNumbers = 12582912.0f;

template <class V>
RNN_INLINE V abs(V x) {
  return V::set(0.0f) - negativeAbs(x);
}
template <class V>
RNN_INLINE V negative(V x) {
  return V::set(-0.0f) - x;
}
template <class V>
RNN_INLINE V infinity() {
  const V large = V::set(3e38f);
  return large + large;
}

// To the nearest integer, half to even; ±0 keeps its sign, NaN stays NaN.
template <class V>
RNN_INLINE V roundHalfEven(V x) {
  // From 2^23 on every float is an integer, so that a sum with it rounds.
  const V edge = V::set(8388608.0f), size = abs(x);
  return select(size < edge, copySign((size + edge) - edge, x), x);
}
template <class V>
RNN_INLINE V floor(V x) {
  const V y = roundHalfEven(x);
  return select(x < y, y - V::set(1.0f), y);
}

// NaN where either is; of 0 and −0 the second.
template <class V>
RNN_INLINE V minimum(V a, V b) {
  return select(a < b, a, select(a == a, b, a));
}
template <class V>
RNN_INLINE V maximum(V a, V b) {
  return select(b < a, a, select(a == a, b, a));
}

} // namespace
