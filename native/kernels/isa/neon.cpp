// NEON of 64-bit Arm: 4 floats a vector, 32 registers.
#include <arm_neon.h>

#include "../matmul/tiling.h"

namespace {

struct Vec {
  static constexpr int lanes = 4;
  static constexpr Tiling tiling{
      12,    10,    // one row, the only block: sums, panels at most
      12,    12,    // one of several blocks, one of a large product: sums
      24,    8,  6, // a tile: sums, rows at most, and where a row has one vector a panel
      24576,        // bytes of weights in a slice
      0,            // rows of input sums made ahead
  };
  static constexpr bool hasHalfPanels = false;
  static constexpr bool fused = true;
  float32x4_t v;
  static Vec load(const float* p) { return {vld1q_f32(p)}; }
  static Vec set(float x) { return {vdupq_n_f32(x)}; }
  static Vec broadcast(const float* p) { return {vld1q_dup_f32(p)}; }
  void store(float* p) const { vst1q_f32(p, v); }
};
inline Vec operator+(Vec a, Vec b) { return {vaddq_f32(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {vsubq_f32(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {vmulq_f32(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {vdivq_f32(a.v, b.v)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
// c − a · b
inline Vec fnma(Vec a, Vec b, Vec c) { return {vfmsq_f32(c.v, a.v, b.v)}; }
// NaN where b is.
inline Vec min(Vec a, Vec b) { return {vminq_f32(a.v, b.v)}; }
inline Vec max(Vec a, Vec b) { return {vmaxq_f32(a.v, b.v)}; }
inline uint32x4_t operator<(Vec a, Vec b) { return vcltq_f32(a.v, b.v); }
inline Vec select(uint32x4_t mask, Vec a, Vec b) { return {vbslq_f32(mask, a.v, b.v)}; }
inline Vec negativeAbs(Vec a) { return {vnegq_f32(vabsq_f32(a.v))}; }
inline Vec copySign(Vec a, Vec sign) { return {vbslq_f32(vdupq_n_u32(0x80000000u), sign.v, a.v)}; }
// one · 2^n, n in the low bits of t
inline Vec powerOfTwo(Vec t, Vec one) {
  return {vreinterpretq_f32_s32(vaddq_s32(vshlq_n_s32(vreinterpretq_s32_f32(t.v), 23), vreinterpretq_s32_f32(one.v)))};
}

} // namespace

#include "../rnn/recurrence.h"

namespace native_rnn {
extern const Kernels neonKernels;
const Kernels neonKernels = makeKernels<Vec>("neon", cpuNeon);
} // namespace native_rnn
