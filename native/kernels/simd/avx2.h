// Eight floats in an AVX register. avx512.h has them for its half panels.
#pragma once
#include <immintrin.h>

namespace {

struct Vec8 {
  static constexpr int lanes = 8;
  static constexpr bool hasHalfPanels = false;
  static constexpr bool fused = true;
  __m256 v;
  static Vec8 load(const float* p) { return {_mm256_load_ps(p)}; }
  static Vec8 set(float x) { return {_mm256_set1_ps(x)}; }
  static Vec8 broadcast(const float* p) { return {_mm256_broadcast_ss(p)}; }
  void store(float* p) const { _mm256_store_ps(p, v); }
};
inline Vec8 operator+(Vec8 a, Vec8 b) { return {_mm256_add_ps(a.v, b.v)}; }
inline Vec8 operator-(Vec8 a, Vec8 b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline Vec8 operator*(Vec8 a, Vec8 b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline Vec8 operator/(Vec8 a, Vec8 b) { return {_mm256_div_ps(a.v, b.v)}; }
inline Vec8 fma(Vec8 a, Vec8 b, Vec8 c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
// c − a · b
inline Vec8 fnma(Vec8 a, Vec8 b, Vec8 c) { return {_mm256_fnmadd_ps(a.v, b.v, c.v)}; }
// NaN where b is.
inline Vec8 min(Vec8 a, Vec8 b) { return {_mm256_min_ps(a.v, b.v)}; }
inline Vec8 max(Vec8 a, Vec8 b) { return {_mm256_max_ps(a.v, b.v)}; }
inline __m256 operator<(Vec8 a, Vec8 b) { return _mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ); }
inline Vec8 select(__m256 mask, Vec8 a, Vec8 b) { return {_mm256_blendv_ps(b.v, a.v, mask)}; }
inline Vec8 negativeAbs(Vec8 a) { return {_mm256_or_ps(_mm256_set1_ps(-0.0f), a.v)}; }
inline Vec8 copySign(Vec8 a, Vec8 sign) { return {_mm256_or_ps(a.v, _mm256_and_ps(_mm256_set1_ps(-0.0f), sign.v))}; }
// one · 2^n, n in the low bits of t
inline Vec8 powerOfTwo(Vec8 t, Vec8 one) {
  return {_mm256_castsi256_ps(
      _mm256_add_epi32(_mm256_slli_epi32(_mm256_castps_si256(t.v), 23), _mm256_castps_si256(one.v)))};
}

} // namespace
