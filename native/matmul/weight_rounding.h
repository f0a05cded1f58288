// Weights as the narrower types keep them, and back: rounded to nearest, of equally near numbers the even one.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace native_rnn {

inline uint32_t bitsOf(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}
inline float floatOf(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

// Infinite from 65520 on.
inline uint16_t halfOf(float x) {
  const uint32_t sign = (bitsOf(x) >> 16) & 0x8000u;
  const float size = std::fabs(x);
  if (size != size)
    return uint16_t(sign | 0x7e00u);
  if (size >= 65520.0f)
    return uint16_t(sign | 0x7c00u);
  // Below the least normal number they are as far apart as floats from 1/2 to 1 are.
  if (size < 6.103515625e-05f)
    return uint16_t(sign | (bitsOf(size + 0.5f) - bitsOf(0.5f)));
  const uint32_t bits = bitsOf(size);
  return uint16_t(sign | (((bits + 0xfffu + ((bits >> 13) & 1u)) >> 13) - ((127u - 15u) << 10)));
}
inline float floatOfHalf(uint16_t half) {
  const uint32_t sign = uint32_t(half & 0x8000u) << 16, size = half & 0x7fffu;
  if (size >= 0x7c00u)
    return floatOf(sign | 0x7f800000u | ((size & 0x3ffu) << 13));
  if (size < 0x400u) // the float from 1/2 on that many places further, less 1/2
    return std::copysign(floatOf(bitsOf(0.5f) + size) - 0.5f, floatOf(sign | 0x3f800000u));
  return floatOf(sign | ((size << 13) + ((127u - 15u) << 23)));
}

inline uint16_t bfloatOf(float x) {
  const uint32_t bits = bitsOf(x);
  if (x != x)
    return uint16_t((bits >> 16) | 0x40u);
  return uint16_t((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}
inline float floatOfBfloat(uint16_t bfloat) { return floatOf(uint32_t(bfloat) << 16); }

// The factor of a row in int8: what the largest of it is divided by 127. 0 where nothing else is a float.
inline float int8Scale(const float* row, size_t count) {
  float most = 0;
  for (size_t i = 0; i < count; i++)
    most = std::fmax(most, std::fabs(row[i]));
  return most / 127.0f;
}
inline int8_t int8Of(float x, float scale) {
  const float quotient = x / scale;
  if (!(scale > 0) || quotient != quotient)
    return 0;
  if (std::fabs(quotient) > 127)
    return quotient > 0 ? 127 : -127;
  // Where floats are whole numbers, a sum rounds.
  const float edge = 12582912.0f;
  return int8_t((quotient + edge) - edge);
}

} // namespace native_rnn
