// Four floats in a NEON register.
#pragma once
#include "parts.h"
#include <arm_neon.h>
#include <cstddef>

namespace {

struct Vec4 {
  static constexpr int lanes = 4;
  static constexpr bool hasHalfPanels = false;
  static constexpr bool fused = true;
  float32x4_t v;
  static Vec4 load(const float* p) { return {vld1q_f32(p)}; }
  static Vec4 set(float x) { return {vdupq_n_f32(x)}; }
  static Vec4 broadcast(const float* p) { return {vld1q_dup_f32(p)}; }
  void store(float* p) const { vst1q_f32(p, v); }
  static Vec4 loadAny(const float* p) { return load(p); }
  void storeAny(float* p) const { store(p); }
  static Vec4 loadFirst(const float* p, size_t n) { return loadFirstOf<Vec4>(p, n); }
  void storeFirst(float* p, size_t n) const { storeFirstOf(*this, p, n); }
};
inline Vec4 operator+(Vec4 a, Vec4 b) { return {vaddq_f32(a.v, b.v)}; }
inline Vec4 operator-(Vec4 a, Vec4 b) { return {vsubq_f32(a.v, b.v)}; }
inline Vec4 operator*(Vec4 a, Vec4 b) { return {vmulq_f32(a.v, b.v)}; }
inline Vec4 operator/(Vec4 a, Vec4 b) { return {vdivq_f32(a.v, b.v)}; }
inline Vec4 fma(Vec4 a, Vec4 b, Vec4 c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
// c − a · b
inline Vec4 fnma(Vec4 a, Vec4 b, Vec4 c) { return {vfmsq_f32(c.v, a.v, b.v)}; }
// NaN where b is.
inline Vec4 min(Vec4 a, Vec4 b) { return {vminq_f32(a.v, b.v)}; }
inline Vec4 max(Vec4 a, Vec4 b) { return {vmaxq_f32(a.v, b.v)}; }
inline uint32x4_t operator<(Vec4 a, Vec4 b) { return vcltq_f32(a.v, b.v); }
inline uint32x4_t operator==(Vec4 a, Vec4 b) { return vceqq_f32(a.v, b.v); }
inline bool any(uint32x4_t mask) { return vmaxvq_u32(mask) != 0; }
inline Vec4 sqrt(Vec4 a) { return {vsqrtq_f32(a.v)}; }
inline Vec4 select(uint32x4_t mask, Vec4 a, Vec4 b) { return {vbslq_f32(mask, a.v, b.v)}; }
inline Vec4 negativeAbs(Vec4 a) { return {vnegq_f32(vabsq_f32(a.v))}; }
inline Vec4 copySign(Vec4 a, Vec4 sign) { return {vbslq_f32(vdupq_n_u32(0x80000000u), sign.v, a.v)}; }
// one · 2^n, n in the low bits of t
inline Vec4 powerOfTwo(Vec4 t, Vec4 one) {
  return {vreinterpretq_f32_s32(vaddq_s32(vshlq_n_s32(vreinterpretq_s32_f32(t.v), 23), vreinterpretq_s32_f32(one.v)))};
}
// Of a positive normal x = significand · 2^exponent, the significand from 1 to below 2.
inline Vec4 significand(Vec4 x) {
  const uint32x4_t digits = vandq_u32(vreinterpretq_u32_f32(x.v), vdupq_n_u32(0x7fffff));
  return {vreinterpretq_f32_u32(vorrq_u32(digits, vreinterpretq_u32_f32(vdupq_n_f32(1.0f))))};
}
inline Vec4 exponent(Vec4 x) {
  return {vsubq_f32(vcvtq_f32_u32(vshrq_n_u32(vreinterpretq_u32_f32(x.v), 23)), vdupq_n_f32(127.0f))};
}

} // namespace
