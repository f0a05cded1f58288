// Eight floats in an AVX register. avx512.h has them for its half panels.
#pragma once
#include <cstddef>
#include <cstdint>
#include <immintrin.h>

namespace {

// Eight sums of products of int8, exact: four inputs at a time, those of a lane beside each other.
struct Dots8 {
  __m256i v;
  // Four inputs for every lane, within ±127: as they are, and without their signs.
  struct Inputs {
    __m256i signedOnes, sizes;
  };
  static Inputs broadcast(const int8_t* q) {
    int32_t quad;
    __builtin_memcpy(&quad, q, sizeof quad);
    const __m256i a = _mm256_set1_epi32(quad);
    return {a, _mm256_abs_epi8(a)};
  }
  static Dots8 zero() { return {_mm256_setzero_si256()}; }
  static Dots8 load(const float* p) { return {_mm256_castps_si256(_mm256_load_ps(p))}; }
  void store(float* p) const { _mm256_store_ps(p, _mm256_castsi256_ps(v)); }
  // Both within ±127: no sum of two products passes 16 bits.
  Dots8 plus(const int32_t* w, Inputs a) const {
    const __m256i weights = _mm256_load_si256(reinterpret_cast<const __m256i*>(w));
    const __m256i pairs = _mm256_maddubs_epi16(a.sizes, _mm256_sign_epi8(weights, a.signedOnes));
    return {_mm256_add_epi32(v, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))};
  }
};

struct Vec8 {
  using Dots = Dots8;
  static constexpr int lanes = 8;
  static constexpr bool hasHalfPanels = false;
  static constexpr bool fused = true;
  __m256 v;
  static Vec8 load(const float* p) { return {_mm256_load_ps(p)}; }
  static Vec8 set(float x) { return {_mm256_set1_ps(x)}; }
  static Vec8 broadcast(const float* p) { return {_mm256_broadcast_ss(p)}; }
  void store(float* p) const { _mm256_store_ps(p, v); }
  static Vec8 loadAny(const float* p) { return {_mm256_loadu_ps(p)}; }
  void storeAny(float* p) const { _mm256_storeu_ps(p, v); }
  // Weights in narrower types.
  static Vec8 loadHalves(const uint16_t* p) {
    return {_mm256_cvtph_ps(_mm_load_si128(reinterpret_cast<const __m128i*>(p)))};
  }
  static Vec8 loadBits(const uint32_t* p) {
    return {_mm256_castsi256_ps(_mm256_load_si256(reinterpret_cast<const __m256i*>(p)))};
  }
  // Of each lane the lower 16 bits, or the upper ones, as the upper ones of a float.
  Vec8 lowHalves() const { return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(v), 16))}; }
  Vec8 highHalves() const { return {_mm256_and_ps(v, _mm256_castsi256_ps(_mm256_set1_epi32(-65536)))}; }
  static Vec8 loadInt8(const int8_t* p) {
    return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))))};
  }
  // Whole numbers in place of floats.
  static Vec8 ofInts(const float* p) { return {_mm256_cvtepi32_ps(_mm256_castps_si256(_mm256_load_ps(p)))}; }
  // The lowest byte of each lane.
  void storeLowBytes(int8_t* p) const {
    const __m256i quads = _mm256_shuffle_epi8(_mm256_castps_si256(v), _mm256_set1_epi32(0x0c080400));
    const __m128i low = _mm256_castsi256_si128(quads), high = _mm256_extracti128_si256(quads, 1);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_unpacklo_epi32(low, high));
  }
  // Of negative numbers the largest size; NaN is above all.
  static float largestSizeOf(__m128i bits) {
    bits = _mm_max_epi32(bits, _mm_shuffle_epi32(bits, 0x4e));
    bits = _mm_max_epi32(bits, _mm_shuffle_epi32(bits, 0xb1));
    return -_mm_cvtss_f32(_mm_castsi128_ps(bits));
  }
  float largestSize() const {
    const __m256i bits = _mm256_castps_si256(v);
    return largestSizeOf(_mm_max_epi32(_mm256_castsi256_si128(bits), _mm256_extracti128_si256(bits, 1)));
  }
  // That of all numbers at p, by parts: those are there sooner from memory than from a register.
  static __m128i negativesAt(const float* p) {
    return _mm_or_si128(_mm_set1_epi32(INT32_MIN), _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static float largestSizeAt(const float* p) {
    return largestSizeOf(_mm_max_epi32(negativesAt(p), negativesAt(p + 4)));
  }
  // The first n ≤ lanes; the others are 0.
  static __m256i first(size_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(int(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static Vec8 loadFirst(const float* p, size_t n) { return {_mm256_maskload_ps(p, first(n))}; }
  void storeFirst(float* p, size_t n) const { _mm256_maskstore_ps(p, first(n), v); }
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
inline __m256 operator==(Vec8 a, Vec8 b) { return _mm256_cmp_ps(a.v, b.v, _CMP_EQ_OQ); }
inline bool any(__m256 mask) { return _mm256_movemask_ps(mask) != 0; }
inline Vec8 sqrt(Vec8 a) { return {_mm256_sqrt_ps(a.v)}; }
inline Vec8 select(__m256 mask, Vec8 a, Vec8 b) { return {_mm256_blendv_ps(b.v, a.v, mask)}; }
inline Vec8 negativeAbs(Vec8 a) { return {_mm256_or_ps(_mm256_set1_ps(-0.0f), a.v)}; }
// Of two negative numbers the one of the larger size; NaN is above all.
inline Vec8 largerSize(Vec8 a, Vec8 b) {
  return {_mm256_castsi256_ps(_mm256_max_epi32(_mm256_castps_si256(a.v), _mm256_castps_si256(b.v)))};
}
inline Vec8 copySign(Vec8 a, Vec8 sign) { return {_mm256_or_ps(a.v, _mm256_and_ps(_mm256_set1_ps(-0.0f), sign.v))}; }
// one · 2^n, n in the low bits of t
inline Vec8 powerOfTwo(Vec8 t, Vec8 one) {
  return {_mm256_castsi256_ps(
      _mm256_add_epi32(_mm256_slli_epi32(_mm256_castps_si256(t.v), 23), _mm256_castps_si256(one.v)))};
}
// Of a positive normal x = significand · 2^exponent, the significand from 1 to below 2.
inline Vec8 significand(Vec8 x) {
  return {_mm256_or_ps(_mm256_and_ps(x.v, _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffff))), _mm256_set1_ps(1.0f))};
}
inline Vec8 exponent(Vec8 x) {
  // In the low bits of 2^23, from where a difference takes it.
  const __m256 biased = _mm256_castsi256_ps(_mm256_srli_epi32(_mm256_castps_si256(x.v), 23));
  return {_mm256_sub_ps(_mm256_or_ps(biased, _mm256_set1_ps(8388608.0f)), _mm256_set1_ps(8388735.0f))};
}

} // namespace
