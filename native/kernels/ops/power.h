// Powers and remainders of single floats, in double precision: the same plain sums on every instruction set, fused or
// not.
#pragma once
#include "../../spec/compiler.h"
#include <cstdint>

namespace {

// Of a positive normal number.
inline double logOf(double a) {
  uint64_t bits;
  __builtin_memcpy(&bits, &a, sizeof bits);
  // The exponent that leaves a rest between √½ and √2, or a hair beside.
  const int64_t e = int64_t(bits - 0x3fe6a09e00000000) >> 52;
  bits -= uint64_t(e) << 52;
  double m;
  __builtin_memcpy(&m, &bits, sizeof m);
  // 2 artanh(s) = 2 (s + s³ / 3 + s⁵ / 5 …); s² ≤ 0.03, so that what is left out is less than 2^−53 of it.
  const double s = (m - 1) / (m + 1), z = s * s;
  double sum = 0;
  for (int n = 21; n > 1; n -= 2)
    sum = (sum + 1.0 / n) * z;
  return double(e) * 0.6931471805599453 + 2 * (s + s * sum);
}

// For |y| ≤ 700.
inline double expOf(double y) {
  const double n = (y * 1.4426950408889634 + 6755399441055744.0) - 6755399441055744.0; // to the nearest integer
  const double r = (y - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10;
  double sum = 1;
  for (int k = 13; k > 0; k--)
    sum = 1 + sum * r / k;
  const uint64_t bits = uint64_t(1023 + int64_t(n)) << 52;
  double scale;
  __builtin_memcpy(&scale, &bits, sizeof scale);
  return sum * scale;
}

// a^b as IEEE 754 and C's pow() have it, at most 1 ULP. The exponents 2, 3 and ½ are what vector code makes of them: a
// cube is two products, less than 1.5 ULP.
inline float powOf(float a, float b) {
  if (b == 2)
    return a * a;
  if (b == 3)
    return a * a * a;
  if (b == 0 || a == 1)
    return 1;
  if (a != a || b != b)
    return a + b;
  const double size = a < 0 ? -double(a) : double(a), exponent = b;
  if (b == 0.5f && a >= 0)
    return __builtin_sqrtf(a) + 0.0f; // of −0 it is 0
  const bool isWhole = exponent >= 16777216 || exponent <= -16777216 || double(int32_t(exponent)) == exponent;
  const bool isOdd = isWhole && exponent < 16777216 && exponent > -16777216 && (int32_t(exponent) & 1) != 0;
  constexpr double largestFloat = 3.4028234663852886e38;
  if (a < 0 && size <= largestFloat && !isWhole)
    return (a - a) / (a - a);
  const double log = size == 0 ? -1e4 : size > largestFloat ? 1e4 : logOf(size);
  // 0 and infinity are so far out that each exponent takes them to their ends.
  const double far = size == 0 || size > largestFloat ? (exponent > 0 ? log : -log) : log * exponent;
  const double y = size == 1 ? 0 : far < -120 ? -120 : far > 120 ? 120 : far;
  const float power = float(expOf(y));
  // The sign bit of −0 too.
  uint32_t bits;
  __builtin_memcpy(&bits, &a, sizeof bits);
  return isOdd && bits >> 31 ? -power : power;
}

// a − b · n with n = a / b cut to an integer: exact, with the sign of a; NaN where a is infinite or b is 0.
inline float fmodOf(float a, float b) {
  const double size = b < 0 ? -double(b) : double(b);
  double rest = a < 0 ? -double(a) : double(a);
  if (!(rest - rest == 0) || !(size > 0))
    return (a - a) / (b - b);
  if (!(size - size == 0) || rest < size)
    return a;
  uint64_t restBits, sizeBits;
  __builtin_memcpy(&sizeBits, &size, sizeof sizeBits);
  while (rest >= size) {
    // b · 2^k just below what is left; the differences have few digits, none is rounded.
    __builtin_memcpy(&restBits, &rest, sizeof restBits);
    uint64_t bits = sizeBits + (((restBits >> 52) - (sizeBits >> 52)) << 52);
    double part;
    __builtin_memcpy(&part, &bits, sizeof part);
    rest -= part > rest ? part / 2 : part;
  }
  const float y = float(rest);
  uint32_t bits;
  __builtin_memcpy(&bits, &a, sizeof bits);
  return bits >> 31 ? -y : y;
}

} // namespace
