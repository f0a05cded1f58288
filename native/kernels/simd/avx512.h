// Sixteen floats in an AVX-512 register.
#pragma once
#include "avx2.h"

namespace {

struct Vec16 {
  static constexpr bool hasHalfPanels = true;
  using Half = Vec8;
  static constexpr int lanes = 16;
  static constexpr bool fused = true;
  __m512 v;
  static Vec16 load(const float* p) { return {_mm512_load_ps(p)}; }
  static Vec16 set(float x) { return {_mm512_set1_ps(x)}; }
  static Vec16 broadcast(const float* p) { return {_mm512_set1_ps(*p)}; }
  void store(float* p) const { _mm512_store_ps(p, v); }
  static Vec16 loadAny(const float* p) { return {_mm512_loadu_ps(p)}; }
  void storeAny(float* p) const { _mm512_storeu_ps(p, v); }
  // The first n ≤ lanes; the others are 0.
  static __mmask16 first(size_t n) { return __mmask16((1u << n) - 1); }
  static Vec16 loadFirst(const float* p, size_t n) { return {_mm512_maskz_loadu_ps(first(n), p)}; }
  void storeFirst(float* p, size_t n) const { _mm512_mask_storeu_ps(p, first(n), v); }
};
inline Vec16 operator+(Vec16 a, Vec16 b) { return {_mm512_add_ps(a.v, b.v)}; }
inline Vec16 operator-(Vec16 a, Vec16 b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline Vec16 operator*(Vec16 a, Vec16 b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline Vec16 operator/(Vec16 a, Vec16 b) { return {_mm512_div_ps(a.v, b.v)}; }
inline Vec16 fma(Vec16 a, Vec16 b, Vec16 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
// c − a · b
inline Vec16 fnma(Vec16 a, Vec16 b, Vec16 c) { return {_mm512_fnmadd_ps(a.v, b.v, c.v)}; }
// NaN where b is.
inline Vec16 min(Vec16 a, Vec16 b) { return {_mm512_min_ps(a.v, b.v)}; }
inline Vec16 max(Vec16 a, Vec16 b) { return {_mm512_max_ps(a.v, b.v)}; }
inline __mmask16 operator<(Vec16 a, Vec16 b) { return _mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ); }
inline __mmask16 operator==(Vec16 a, Vec16 b) { return _mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ); }
inline bool any(__mmask16 mask) { return mask != 0; }
inline Vec16 sqrt(Vec16 a) { return {_mm512_sqrt_ps(a.v)}; }
inline Vec16 select(__mmask16 mask, Vec16 a, Vec16 b) { return {_mm512_mask_blend_ps(mask, b.v, a.v)}; }
inline Vec16 negativeAbs(Vec16 a) { return {_mm512_or_ps(_mm512_set1_ps(-0.0f), a.v)}; }
inline Vec16 copySign(Vec16 a, Vec16 sign) { return {_mm512_or_ps(a.v, _mm512_and_ps(_mm512_set1_ps(-0.0f), sign.v))}; }
// one · 2^n, n in the low bits of t
inline Vec16 powerOfTwo(Vec16 t, Vec16 one) {
  return {_mm512_castsi512_ps(
      _mm512_add_epi32(_mm512_slli_epi32(_mm512_castps_si512(t.v), 23), _mm512_castps_si512(one.v)))};
}
// Of a positive normal x = significand · 2^exponent, the significand from 1 to below 2.
inline Vec16 significand(Vec16 x) {
  return {_mm512_or_ps(_mm512_and_ps(x.v, _mm512_castsi512_ps(_mm512_set1_epi32(0x7fffff))), _mm512_set1_ps(1.0f))};
}
inline Vec16 exponent(Vec16 x) {
  // In the low bits of 2^23, from where a difference takes it.
  const __m512 biased = _mm512_castsi512_ps(_mm512_srli_epi32(_mm512_castps_si512(x.v), 23));
  return {_mm512_sub_ps(_mm512_or_ps(biased, _mm512_set1_ps(8388608.0f)), _mm512_set1_ps(8388735.0f))};
}

} // namespace
