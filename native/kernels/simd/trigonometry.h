// sin and cos over a vector type: one formula for every instruction set, and for large numbers the digits of 2/π.
#pragma once
#include "activations.h"
#include "rounding.h"
#include <cstddef>
#include <cstdint>

namespace {

// A number as `quarters` quarter turns and what is left of it, in two parts; `quarters` is right but for multiples
// of 4.
struct Angle {
  float quarters, r, rest;
};

// Of any finite x of at least 2^12, by the product of its 24 digits and those of 2/π that reach below 4 quarter turns
// (Payne and Hanek, 1983): exact to 2^−62 of a quarter turn, and no float is nearer than 2^−34 to a whole one.
RNN_NOINLINE Angle largeAngle(float x) {
  // 2/π behind one word of zeros.
  static constexpr uint32_t digits[] = {0,          0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0,
                                        0xdb629599, 0x3c439041, 0xfe5163ab, 0xdebbc561};
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  const uint32_t biased = bits >> 23 & 255;
  if (biased == 255)
    return {0, x - x, 0};
  // |x| = m · 2^e; the digit with weight 2 in 2^e · 2/π is number e − 1 behind the point.
  const uint64_t m = (bits & 0x7fffff) | 0x800000;
  const uint32_t first = biased - 150 + 30, word = first / 32, shift = first % 32;
  const auto at = [&](uint32_t i) {
    const uint64_t pair = uint64_t(digits[word + i]) << 32 | digits[word + i + 1];
    return uint64_t(uint32_t(pair >> (32 - shift)));
  };
  const uint64_t middle = m * at(1) + (m * at(2) >> 32);
  const uint32_t high = uint32_t(m * at(0) + (middle >> 32));
  // Two digits of quarter turns, and a fraction that is taken with its sign: half a quarter turn at most.
  const int64_t fraction = int64_t((uint64_t(high) << 32 | uint32_t(middle)) << 2);
  const float quarters = float((high >> 30) + (fraction < 0));
  const double left = double(fraction) * (1.5707963267948966 / 18446744073709551616.0);
  const float r = float(left), rest = float(left - r);
  return bits >> 31 ? Angle{-quarters, -r, -rest} : Angle{quarters, r, rest};
}

template <class V>
RNN_NOINLINE void reduceLargeAngles(V x, V& quarters, V& r, V& rest) {
  constexpr int L = V::lanes;
  float xs[L], all[3][L];
  x.storeAny(xs), quarters.storeAny(all[0]), r.storeAny(all[1]), rest.storeAny(all[2]);
  for (int i = 0; i < L; i++)
    if (xs[i] < -8192.0f || 8192.0f < xs[i]) {
      const Angle angle = largeAngle(xs[i]);
      all[0][i] = angle.quarters, all[1][i] = angle.r, all[2][i] = angle.rest;
    }
  quarters = V::loadAny(all[0]), r = V::loadAny(all[1]), rest = V::loadAny(all[2]);
}

// sin(x + turned · π/2), at most 2 ULP; NaN for what is infinite, NaN stays NaN.
template <class V>
RNN_INLINE V sinTurned(V x, float turned) {
  const V edge = V::set(wholeNumbers), one = V::set(1.0f);
  V n = fma(x, V::set(0.636619772f), edge) - edge;
  // π/2 in parts of which the first three have few enough digits that n times them is exact up to |x| = 8192 (Cody and
  // Waite), and so are the first two differences. What the third one rounds away is in `rest`.
  const V whole = fnma(n, V::set(4.83751297e-4f), fnma(n, V::set(1.5703125f), x)), third = n * V::set(7.54953362e-8f);
  V r = whole - third;
  V rest = fnma(n, V::set(2.56334407e-12f), (whole - r) - third);
  if (any(negativeAbs(x) < V::set(-8192.0f)))
    reduceLargeAngles(x, n, r, rest);
  const V r2 = r * r;
  const V s = fma(fma(V::set(-1.95180852e-4f), r2, V::set(8.33218824e-3f)), r2, V::set(-1.66666552e-1f));
  const V c = fma(fma(V::set(2.44325438e-5f), r2, V::set(-1.38873106e-3f)), r2, V::set(4.16666456e-2f));
  const V sine = r + fma(r2 * r, s, rest), cosine = fma(r2 * r2, c, fnma(V::set(0.5f), r2, one));
  n = n + V::set(turned);
  // From −2 to 2.
  const V quarters = n - V::set(4.0f) * (fma(n, V::set(0.25f), edge) - edge);
  const V y = select(quarters * quarters == one, cosine, sine);
  return select(quarters < V::set(-0.5f), negative(y), select(V::set(1.5f) < quarters, negative(y), y));
}
template <class V>
RNN_INLINE V sin(V x) {
  return select(x == V::set(0.0f), x, sinTurned(x, 0.0f));
}
template <class V>
RNN_INLINE V cos(V x) {
  return sinTurned(x, 1.0f);
}

} // namespace
