// log, erf and the tail of the normal distribution over a vector type: one formula for every instruction set. The
// coefficients are minimax fits, made by scripts/activations.py.
#pragma once
#include "activations.h"
#include "rounding.h"

namespace {

// At most 2 ULP, subnormal x included; −infinite for 0, NaN below; NaN stays NaN.
template <class V>
RNN_INLINE V log(V x) {
  const V one = V::set(1.0f), zero = V::set(0.0f);
  const auto isSubnormal = x < V::set(1.17549435e-38f);
  const V scaled = select(isSubnormal, x * V::set(8388608.0f), x);
  V m = significand(scaled), e = exponent(scaled) - select(isSubnormal, V::set(23.0f), zero);
  const auto isLarge = V::set(1.41421354f) < m;
  m = select(isLarge, m * V::set(0.5f), m);
  e = select(isLarge, e + one, e);
  // e · ln 2 + f − f² / 2 + f³ P(f), the smallest parts first.
  const V f = m - one, f2 = f * f, f4 = f2 * f2;
  const V p01 = fma(V::set(-2.50008225e-1f), f, V::set(3.33333313e-1f));
  const V p23 = fma(V::set(-1.66233167e-1f), f, V::set(2.00012505e-1f));
  const V p45 = fma(V::set(-1.31601632e-1f), f, V::set(1.42012700e-1f));
  const V p67 = fma(V::set(-7.63833299e-2f), f, V::set(1.27647966e-1f));
  const V p = fma(fma(p67, f2, p45), f4, fma(p23, f2, p01));
  const V low = fma(V::set(-0.5f), f2, fma(f2 * f, p, e * V::set(-2.12194440e-4f)));
  const V y = fma(e, V::set(0.693359375f), f + low);
  const V inf = infinity<V>();
  const V outside = select(x == zero, negative(inf), select(x < zero, inf - inf, x));
  return select(zero < x, select(x < inf, y, x), outside);
}

// by · Φ(−x), of the normal distribution's tail, for 0 ≤ x ≤ 15: at most 7 ULP while it and e^(−x² / 2) are normal.
template <class V>
RNN_INLINE V normalTail(V x, V by) {
  const V t = (x - V::set(4.0f)) / (x + V::set(4.0f)), t2 = t * t, t4 = t2 * t2;
  const V p01 = fma(V::set(-2.30092332e-2f), t, V::set(8.49695802e-1f));
  const V p23 = fma(V::set(1.28907055e-1f), t, V::set(-9.63822752e-2f));
  const V p45 = fma(V::set(4.43903655e-2f), t, V::set(-9.52327400e-2f));
  const V p67 = fma(V::set(-1.36422028e-3f), t, V::set(-1.06181223e-2f));
  const V p89 = fma(V::set(1.25543127e-4f), t, V::set(1.66849664e-3f));
  const V high = fma(fma(V::set(-8.16685642e-5f), t2, p89), t4, fma(p67, t2, p45));
  const V p = by * (fma(high, t4, fma(p23, t2, p01)) / fma(V::set(2.0f), x, V::set(1.0f)));
  // e^(−x² / 2): what the rounding of x² leaves goes into the factor.
  const V square = x * x, rest = fma(x, x, negative(square));
  return exp(V::set(-0.5f) * square) * fma(p, V::set(-0.5f) * rest, p);
}

// At most 4 ULP; NaN stays NaN.
template <class V>
RNN_INLINE V erf(V x) {
  const V one = V::set(1.0f);
  // Beyond 4 the nearest float is 1.
  const V size = min(V::set(4.0f), abs(x)), s = size * size, s2 = s * s;
  const V p01 = fma(V::set(-3.76126260e-1f), s, V::set(1.28379166e-1f));
  const V p23 = fma(V::set(-2.68533472e-2f), s, V::set(1.12835787e-1f));
  const V p45 = fma(V::set(-7.99785310e-4f), s, V::set(5.18716220e-3f));
  const V p = fma(fma(V::set(7.80690316e-5f), s2, p45), s2 * s2, fma(p23, s2, p01));
  const V outer = one - normalTail(size * V::set(1.41421354f), V::set(2.0f));
  return copySign(select(size < one, fma(size, p, size), outer), x);
}

// x · Φ(x), at most 8 ULP, subnormal results included; NaN stays NaN.
template <class V>
RNN_INLINE V gelu(V x) {
  // From 15 on Φ is 0 or 1.
  const V size = min(V::set(15.0f), abs(x)), tail = normalTail(size, size);
  return select(x < V::set(0.0f), negative(tail), x - tail);
}

// x / (1 + e^−z) with z = 2 √(2/π) (x + 0.044715 x³), at most 6 ULP while normal; NaN stays NaN.
template <class V>
RNN_INLINE V geluTanh(V x) {
  // Beyond 14 the second factor is 0 or 1. z is as much as 100, and its error one of the result's digits: it is carried
  // in two parts.
  const V bounded = max(V::set(-14.0f), min(V::set(14.0f), x));
  const V square = bounded * bounded, squareRest = fma(bounded, bounded, negative(square));
  const V a = V::set(7.13548139e-2f), b = V::set(1.59576917f);
  const V product = a * square;
  const V productRest = fma(a, square, negative(product)) + fma(a, squareRest, V::set(2.39883240e-9f) * square);
  const V sum = product + b, back = sum - product;
  const V sumRest = (product - (sum - back)) + (b - back) + (productRest + V::set(-4.53406803e-8f));
  const V z = bounded * sum, rest = fma(bounded, sum, negative(z)) + bounded * sumRest;
  // The slope of a sigmoid s is s (1 − s).
  const V s = sigmoid(z), y = select(x < V::set(0.0f), bounded, x) * s;
  return fma(bounded * s, (V::set(1.0f) - s) * rest, y);
}

} // namespace
