// AVX-512 F, VL and DQ: 16 floats a vector, 32 registers.
#include <immintrin.h>

#include "../matmul/tiling.h"

namespace {

#include "../simd/avx2.h"

struct Vec {
  static constexpr bool hasHalfPanels = true;
  using Half = Vec8;
  static constexpr int lanes = 16;
  static constexpr Tiling tiling{
      12,     8,    // one row, the only block: sums, panels at most
      8,      4,    // one of several blocks, one of a large product: sums
      24,     8, 6, // a tile: sums, rows at most, and where a row has one vector a panel
      131072,       // bytes of weights in a slice
      8,            // rows of input sums made ahead
  };
  static constexpr bool fused = true;
  __m512 v;
  static Vec load(const float* p) { return {_mm512_load_ps(p)}; }
  static Vec set(float x) { return {_mm512_set1_ps(x)}; }
  static Vec broadcast(const float* p) { return {_mm512_set1_ps(*p)}; }
  void store(float* p) const { _mm512_store_ps(p, v); }
};
inline Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
// c − a · b
inline Vec fnma(Vec a, Vec b, Vec c) { return {_mm512_fnmadd_ps(a.v, b.v, c.v)}; }
// NaN where b is.
inline Vec min(Vec a, Vec b) { return {_mm512_min_ps(a.v, b.v)}; }
inline Vec max(Vec a, Vec b) { return {_mm512_max_ps(a.v, b.v)}; }
inline __mmask16 operator<(Vec a, Vec b) { return _mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ); }
inline Vec select(__mmask16 mask, Vec a, Vec b) { return {_mm512_mask_blend_ps(mask, b.v, a.v)}; }
inline Vec negativeAbs(Vec a) { return {_mm512_or_ps(_mm512_set1_ps(-0.0f), a.v)}; }
inline Vec copySign(Vec a, Vec sign) { return {_mm512_or_ps(a.v, _mm512_and_ps(_mm512_set1_ps(-0.0f), sign.v))}; }
// one · 2^n, n in the low bits of t
inline Vec powerOfTwo(Vec t, Vec one) {
  return {_mm512_castsi512_ps(
      _mm512_add_epi32(_mm512_slli_epi32(_mm512_castps_si512(t.v), 23), _mm512_castps_si512(one.v)))};
}

} // namespace

#include "../rnn/recurrence.h"

namespace native_rnn {
extern const Kernels avx512Kernels;
const Kernels avx512Kernels =
    makeKernels<Vec>("avx512", cpuAvx | cpuAvx2 | cpuFma | cpuAvx512f | cpuAvx512vl | cpuAvx512dq);
} // namespace native_rnn
