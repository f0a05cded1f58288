// AVX2 + FMA: 8 floats a vector, 16 registers.
#include <immintrin.h>

namespace {

struct Vec {
  static constexpr int lanes = 8;
  static constexpr int registers = 16;
  static constexpr bool fused = true;
  __m256 v;
  static Vec load(const float* p) { return {_mm256_load_ps(p)}; }
  static Vec set(float x) { return {_mm256_set1_ps(x)}; }
  static Vec broadcast(const float* p) { return {_mm256_broadcast_ss(p)}; }
  void store(float* p) const { _mm256_store_ps(p, v); }
};
inline Vec operator+(Vec a, Vec b) { return {_mm256_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm256_div_ps(a.v, b.v)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
// c − a · b
inline Vec fnma(Vec a, Vec b, Vec c) { return {_mm256_fnmadd_ps(a.v, b.v, c.v)}; }
// NaN where b is.
inline Vec min(Vec a, Vec b) { return {_mm256_min_ps(a.v, b.v)}; }
inline Vec max(Vec a, Vec b) { return {_mm256_max_ps(a.v, b.v)}; }
inline __m256 operator<(Vec a, Vec b) { return _mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ); }
inline Vec select(__m256 mask, Vec a, Vec b) { return {_mm256_blendv_ps(b.v, a.v, mask)}; }
inline Vec negativeAbs(Vec a) { return {_mm256_or_ps(_mm256_set1_ps(-0.0f), a.v)}; }
inline Vec copySign(Vec a, Vec sign) { return {_mm256_or_ps(a.v, _mm256_and_ps(_mm256_set1_ps(-0.0f), sign.v))}; }
// one · 2^n, n in the low bits of t
inline Vec powerOfTwo(Vec t, Vec one) {
  return {_mm256_castsi256_ps(
      _mm256_add_epi32(_mm256_slli_epi32(_mm256_castps_si256(t.v), 23), _mm256_castps_si256(one.v)))};
}

} // namespace

#include "../run.h"

namespace native_rnn {
extern const Kernels avx2Kernels;
const Kernels avx2Kernels = table<Vec>("avx2", cpuAvx | cpuAvx2 | cpuFma);
} // namespace native_rnn
