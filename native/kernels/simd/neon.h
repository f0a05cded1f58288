// Four floats in a NEON register.
#pragma once
#include "parts.h"
#include <arm_neon.h>
#include <cstddef>
#include <cstdint>

namespace {

// Four sums of products of int8, exact: four inputs at a time, those of a lane beside each other.
struct Dots4 {
  int32x4_t v;
  using Inputs = int8x16_t; // four for every lane, within ±127
  static Inputs broadcast(const int8_t* q) {
    int32_t quad;
    __builtin_memcpy(&quad, q, sizeof quad);
    return vreinterpretq_s8_s32(vdupq_n_s32(quad));
  }
  static Dots4 zero() { return {vdupq_n_s32(0)}; }
  static Dots4 load(const float* p) { return {vreinterpretq_s32_f32(vld1q_f32(p))}; }
  void store(float* p) const { vst1q_f32(p, vreinterpretq_f32_s32(v)); }
  Dots4 plus(const int32_t* w, Inputs a) const {
    const int8x16_t weights = vreinterpretq_s8_s32(vld1q_s32(w));
    const int32x4_t low = vpaddlq_s16(vmull_s8(vget_low_s8(weights), vget_low_s8(a)));
    const int32x4_t high = vpaddlq_s16(vmull_s8(vget_high_s8(weights), vget_high_s8(a)));
    return {vaddq_s32(v, vpaddq_s32(low, high))};
  }
};

struct Vec4 {
  using Dots = Dots4;
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
  // Weights in narrower types.
  static Vec4 loadHalves(const uint16_t* p) { return {vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)))}; }
  static Vec4 loadBits(const uint32_t* p) { return {vreinterpretq_f32_u32(vld1q_u32(p))}; }
  // Of each lane the lower 16 bits, or the upper ones, as the upper ones of a float.
  Vec4 lowHalves() const { return {vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(v), 16))}; }
  Vec4 highHalves() const {
    return {vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(v), vdupq_n_u32(0xffff0000u)))};
  }
  static Vec4 loadInt8(const int8_t* p) {
    int32_t quad;
    __builtin_memcpy(&quad, p, sizeof quad);
    const int8x8_t bytes = vreinterpret_s8_s32(vdup_n_s32(quad));
    return {vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(bytes))))};
  }
  // Whole numbers in place of floats.
  static Vec4 ofInts(const float* p) { return {vcvtq_f32_s32(vreinterpretq_s32_f32(vld1q_f32(p)))}; }
  // The lowest byte of each lane.
  void storeLowBytes(int8_t* p) const {
    const int16x4_t words = vmovn_s32(vreinterpretq_s32_f32(v));
    const int32_t quad = vget_lane_s32(vreinterpret_s32_s8(vmovn_s16(vcombine_s16(words, words))), 0);
    __builtin_memcpy(p, &quad, sizeof quad);
  }
  // Of negative numbers the largest size; NaN is above all.
  float largestSize() const {
    return -vgetq_lane_f32(vreinterpretq_f32_s32(vdupq_n_s32(vmaxvq_s32(vreinterpretq_s32_f32(v)))), 0);
  }
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
// Of two negative numbers the one of the larger size; NaN is above all.
inline Vec4 largerSize(Vec4 a, Vec4 b) {
  return {vreinterpretq_f32_s32(vmaxq_s32(vreinterpretq_s32_f32(a.v), vreinterpretq_s32_f32(b.v)))};
}
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
