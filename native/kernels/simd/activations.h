// tanh, sigmoid, exp and what log(1 + e^x) needs over a vector type: one formula for every instruction set, so that the
// bits agree.
//
// Both rest on exp(y) = 2^n · (1 + p) with n = round(y / ln 2), p = e^r − 1, |r| ≤ ln 2 / 2 (Cody and Waite, "Software
// Manual for the Elementary Functions", 1980). 1 + p is never rounded by itself: p goes into a fused sum with what the
// power of two leaves exact. The coefficients are a minimax fit, made by scripts/activations.py.
#pragma once
#include "rounding.h"

namespace {

// n = round(y / ln 2) for |y · log2e| < 2^22, and what is left of y, both for a y that was scaled by 1 / scale.
template <class V>
struct ReducedArgument {
  V n2; // n in the low bits, for powerOfTwo
  V r;
};
template <class V>
RNN_INLINE ReducedArgument<V> reduceArgument(V y, float scale) {
  const V edge = V::set(wholeNumbers);
  const V t = fma(y, V::set(1.44269504f * scale), edge);
  const V n = t - edge;
  // ln 2 in two parts, the first with few enough bits that n · part is exact.
  const V r = fma(n, V::set(-0.693359375f / scale), y);
  return {t, fma(n, V::set(2.12194440e-4f / scale), r)};
}

// (e^(scale · r) − 1) / scale; scale is ± a power of two, so that its coefficients are exact.
template <class V>
RNN_INLINE V expm1Scaled(V r, float scale) {
  // In pairs rather than one after the other: as many operations, half the time from r to the result.
  const V r2 = r * r;
  const float scale2 = scale * scale;
  const V low = fma(V::set(1.66665465e-1f * scale2), r, V::set(4.99999970e-1f * scale));
  const V high = fma(V::set(8.36627744e-3f * scale2 * scale2), r, V::set(4.16674353e-2f * scale2 * scale));
  const V p = fma(fma(V::set(1.38707249e-3f * scale2 * scale2 * scale), r2, high), r2, low);
  return fma(p, r2, r);
}

// e^(−2|x|) = s · (1 + p), as 2 s and p / 2.
template <class V>
struct ScaledExponential {
  V s2, q;
};
template <class V>
RNN_INLINE ScaledExponential<V> exponentialOfTwice(V x) {
  // Beyond 9.02 the float nearest to tanh x is 1; the bound keeps s normal.
  const ReducedArgument<V> half = reduceArgument(max(V::set(-10.0f), negativeAbs(x)), 2.0f);
  return {powerOfTwo(half.n2, V::set(2.0f)), expm1Scaled(half.r, 2.0f)};
}

// tanh, at most 2 ULP; ±0 keeps its sign, NaN stays NaN.
template <class V>
RNN_INLINE V tanh(V x) {
  // With e = e^(−2|x|) = s · (1 + p): tanh |x| = b + ((1 − b) − (1 + b) · e) / (1 + e) for any b. One that is near the
  // result, and exact, makes the rounding of the quotient weigh little; it is 0 where n is, and p keeps its accuracy.
  const V one = V::set(1.0f);
  const auto [s2, q] = exponentialOfTwice(x);
  const V b = max(V::set(0.0f), fma(s2, V::set(-0.75f), one));
  const V w = fma(b, s2, s2); // 2 · (1 + b) · s
  const V numerator = fnma(w, q, fnma(w, V::set(0.5f), one - b));
  const V denominator = fma(s2, q, fma(s2, V::set(0.5f), one));
  return copySign(b + numerator / denominator, x);
}

// 2^−64 · (1 + e^−x), so that it stays finite where its reciprocal is subnormal; NaN stays NaN.
constexpr float sigmoidScale = 5.42101086e-20f;
template <class V>
RNN_INLINE V sigmoidDenominator(V x) {
  // Beyond −104 the nearest float of 1 / (1 + e^−x) is 0, beyond 40 it is 1, and s stays normal.
  const V one = V::set(sigmoidScale);
  const V y = min(V::set(40.0f), max(V::set(-104.0f), x));
  const ReducedArgument<V> whole = reduceArgument(y, -1.0f);
  const V q = expm1Scaled(whole.r, -1.0f); // −p
  const V s = powerOfTwo(whole.n2, one);
  // 1 + s may lose the 1: what it lost is added to the small part.
  const V sum = one + s;
  return sum + fnma(s, q, one - (sum - s));
}

// 1 / (1 + e^−x), at most 2 ULP, subnormal results included; NaN stays NaN.
template <class V>
RNN_INLINE V sigmoid(V x) {
  return V::set(sigmoidScale) / sigmoidDenominator(x);
}

// sigmoid(x) · tanh(y) with one division, at most 4 ULP while normal; NaN of either stays NaN.
template <class V>
RNN_INLINE V sigmoidTanh(V x, V y) {
  // tanh |y| = (1 − e) / (1 + e) with e = e^(−2|y|): the divisors of both make one. The scale is taken off the
  // quotient, where no y is too small for it.
  const auto [s2, q] = exponentialOfTwice(y);
  const V one = V::set(1.0f);
  const V numerator = fnma(s2, q, fnma(s2, V::set(0.5f), one));
  const V denominator = fma(s2, q, fma(s2, V::set(0.5f), one));
  const V quotient = numerator / (sigmoidDenominator(x) * denominator);
  return copySign(quotient * V::set(sigmoidScale), y);
}

// e^x, at most 2 ULP, subnormal results included; 0 below them, infinite above the largest float; NaN stays NaN.
template <class V>
RNN_INLINE V exp(V x) {
  // Below −104 the nearest float is 0, above 88.8 there is none. All is 2^64 times nearer to 1 than its name, so that
  // the power of two is normal, and the sum is rounded once before it may become subnormal.
  const V y = min(V::set(89.0f), max(V::set(-104.0f), x));
  const ReducedArgument<V> whole = reduceArgument(y, 1.0f);
  const V p = expm1Scaled(whole.r, 1.0f);
  const V zero = V::set(0.0f), up = V::set(18446744073709551616.0f), down = V::set(5.42101086e-20f);
  const V s = powerOfTwo(whole.n2, select(y < zero, up, down));
  return fma(s, p, s) * select(y < zero, down, up);
}

// e^x − 1 for x ≤ 0, at most 2 ULP; anything for other x, NaN for NaN.
template <class V>
RNN_INLINE V expm1OfNegative(V x) {
  // Below −18 the nearest float is −1; the bounds keep s normal.
  const V one = V::set(1.0f);
  const V y = min(V::set(0.0f), max(V::set(-40.0f), x));
  const ReducedArgument<V> whole = reduceArgument(y, 1.0f);
  const V s = powerOfTwo(whole.n2, one);
  return fma(s, expm1Scaled(whole.r, 1.0f), s - one);
}

// log(1 + e) for 0 ≤ e ≤ 1, at most 2 ULP.
template <class V>
RNN_INLINE V log1pOfUnit(V e) {
  // = 2 t + 2 t³ q(t²) with t = e / (2 + e) ≤ 1 / 3; 2 t is e − e · t, so that the rounding of the quotient weighs
  // little.
  const V t = e / (V::set(2.0f) + e), s = t * t, s2 = s * s;
  const V low = fma(V::set(1.99994743e-1f), s, V::set(3.33333373e-1f));
  const V high = fma(V::set(1.07218958e-1f), s, V::set(1.43076077e-1f));
  const V q = fma(fma(V::set(1.21229559e-1f), s2, high), s2, low);
  return fnma(t, fnma(s + s, q, e), e);
}

} // namespace
