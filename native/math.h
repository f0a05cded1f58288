// tanh and sigmoid over a vector type: one formula for every ISA, so that the bits agree. Included by run.h only.
//
// Both rest on exp(y) = 2^n · e^r with n = round(y / ln 2), |r| ≤ ln 2 / 2 (Cody and Waite, "Software Manual for the
// Elementary Functions", 1980). The coefficients are minimax fits, made by
// scripts/activations.py.
#pragma once
#include <cstddef>

// What must end in registers must be inlined, whatever the compiler thinks of its size.
#if defined(_MSC_VER)
#define RNN_INLINE __forceinline
#else
#define RNN_INLINE inline __attribute__((always_inline))
#endif

namespace {

// e^y for −104 ≤ y ≤ 0, times 2^shift; NaN stays NaN. The result is normal as long as n + shift ≥ −126.
template <int shift, class V>
RNN_INLINE V expScaled(V y) {
  // Adding 1.5 · 2^23 rounds to the nearest integer and leaves it in the low bits.
  const V magic = V::set(12582912.0f);
  const V t = fma(y, V::set(1.44269504f), magic);
  const V n = t - magic;
  // ln 2 in two parts, the first with few enough bits that n · part is exact.
  V r = fma(n, V::set(-0.693359375f), y);
  r = fma(n, V::set(2.12194440e-4f), r);
  V p = V::set(1.38195115e-3f);
  p = fma(p, r, V::set(8.36869050e-3f));
  p = fma(p, r, V::set(4.16682810e-2f));
  p = fma(p, r, V::set(1.66665211e-1f));
  p = fma(p, r, V::set(4.99999940e-1f));
  p = fma(p, r * r, r);
  p = p + V::set(1.0f);
  return p * powerOfTwo(t, V::set(__builtin_bit_cast(float, (127 + shift) << 23)));
}

// tanh, at most 2 ULP; ±0 keeps its sign, NaN stays NaN.
template <class V>
RNN_INLINE V tanh(V x) {
  const V a = abs(x);
  const V q = x * x;
  V p = V::set(-5.69229620e-3f);
  p = fma(p, q, V::set(2.06281673e-2f));
  p = fma(p, q, V::set(-5.37365153e-2f));
  p = fma(p, q, V::set(1.33314058e-1f));
  p = fma(p, q, V::set(-3.33332807e-1f));
  const V small = fma(p * q, x, x);
  // Beyond 9.02 the nearest float is 1; the clamp keeps e normal. The comparison lets NaN through.
  const V bounded = select(V::set(10.0f) < a, V::set(10.0f), a);
  const V e = expScaled<0>(bounded * V::set(-2.0f));
  const V one = V::set(1.0f);
  const V large = one - (e + e) / (one + e);
  return select(a < V::set(0.625f), small, copySign(large, x));
}

// 1 / (1 + e^−x), at most 2 ULP, subnormal results included; NaN stays NaN.
template <class V>
RNN_INLINE V sigmoid(V x) {
  const V a = abs(x);
  const V bounded = select(V::set(104.0f) < a, V::set(104.0f), a);
  // e^−|x| may be subnormal: it is made 2^64 times too large and brought down by one rounded product.
  const V e = expScaled<64>(V::set(0.0f) - bounded) * V::set(5.42101086e-20f);
  // 1 / (1 + e) = 1 − e / (1 + e), e / (1 + e) = e − e · e / (1 + e): one division, and its error weighs little.
  const V u = select(x < V::set(0.0f), e, V::set(1.0f));
  return fma(u, e / (V::set(-1.0f) - e), u);
}

} // namespace
