// Sixteen floats in an AVX-512 register.
#pragma once
#include "avx2.h"

namespace {

// Sixteen sums of products of int8; see Dots8.
struct Dots16 {
  __m512i v;
  struct Inputs {
    __m512i sizes;
    __mmask64 negative;
  };
  static Inputs broadcast(const int8_t* q) {
    int32_t quad;
    __builtin_memcpy(&quad, q, sizeof quad);
    const __m512i a = _mm512_set1_epi32(quad);
    return {_mm512_abs_epi8(a), _mm512_movepi8_mask(a)};
  }
  static Dots16 zero() { return {_mm512_setzero_si512()}; }
  static Dots16 load(const float* p) { return {_mm512_load_si512(p)}; }
  void store(float* p) const { _mm512_store_si512(p, v); }
  Dots16 plus(const int32_t* w, Inputs a) const {
    const __m512i given = _mm512_load_si512(w);
    const __m512i weights = _mm512_mask_sub_epi8(given, a.negative, _mm512_setzero_si512(), given);
    const __m512i pairs = _mm512_maddubs_epi16(a.sizes, weights);
    return {_mm512_add_epi32(v, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)))};
  }
};

struct Vec16 {
  using Dots = Dots16;
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
  static Vec16 loadHalves(const uint16_t* p) {
    return {_mm512_cvtph_ps(_mm256_load_si256(reinterpret_cast<const __m256i*>(p)))};
  }
  static Vec16 loadBits(const uint32_t* p) { return {_mm512_castsi512_ps(_mm512_load_si512(p))}; }
  Vec16 lowHalves() const { return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(v), 16))}; }
  Vec16 highHalves() const { return {_mm512_and_ps(v, _mm512_castsi512_ps(_mm512_set1_epi32(-65536)))}; }
  static Vec16 loadInt8(const int8_t* p) {
    return {_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_load_si128(reinterpret_cast<const __m128i*>(p))))};
  }
  static Vec16 ofInts(const float* p) { return {_mm512_cvtepi32_ps(_mm512_load_si512(p))}; }
  // The lowest byte of each lane.
  void storeLowBytes(int8_t* p) const {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(_mm512_castps_si512(v)));
  }
  // Of negative numbers the largest size; NaN is above all.
  float largestSize() const {
    const __m512i bits = _mm512_castps_si512(v);
    return Vec8{_mm256_castsi256_ps(_mm256_max_epi32(_mm512_castsi512_si256(bits), _mm512_extracti64x4_epi64(bits, 1)))}
        .largestSize();
  }
  static float largestSizeAt(const float* p) {
    return Vec8::largestSizeOf(_mm_max_epi32(_mm_max_epi32(Vec8::negativesAt(p), Vec8::negativesAt(p + 4)),
                                             _mm_max_epi32(Vec8::negativesAt(p + 8), Vec8::negativesAt(p + 12))));
  }
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
// Of two negative numbers the one of the larger size; NaN is above all.
inline Vec16 largerSize(Vec16 a, Vec16 b) {
  return {_mm512_castsi512_ps(_mm512_max_epi32(_mm512_castps_si512(a.v), _mm512_castps_si512(b.v)))};
}
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
