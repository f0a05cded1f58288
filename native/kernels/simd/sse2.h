// What portable.h has no operator of vector types for, in instructions that every x86-64 processor has: weights of 8
// and 16 bits as floats, and sums of products of int8.
#pragma once
#include <cstdint>
#include <immintrin.h>

namespace {

// Four whole numbers in place of floats, four bytes.
inline __m128 floatsOfInts(const float* p) { return _mm_cvtepi32_ps(_mm_castps_si128(_mm_loadu_ps(p))); }
inline __m128 floatsOfInt8(const int8_t* p) {
  int32_t quad;
  __builtin_memcpy(&quad, p, sizeof quad);
  const __m128i bytes = _mm_cvtsi32_si128(quad), words = _mm_unpacklo_epi8(bytes, bytes);
  return _mm_cvtepi32_ps(_mm_srai_epi32(_mm_unpacklo_epi16(words, words), 24));
}
// Four halves as floats: their digits in a float's place, 2^112 times too small, whatever their exponents are.
inline __m128 floatsOfHalves(const uint16_t* p) {
  const __m128i halves = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  const __m128i bits = _mm_srai_epi32(_mm_unpacklo_epi16(_mm_setzero_si128(), halves), 3);
  const __m128i digits = _mm_and_si128(bits, _mm_set1_epi32(int32_t(0x8fffffff)));
  return _mm_mul_ps(_mm_castsi128_ps(digits), _mm_set1_ps(5.192296858534828e33f));
}

// Four sums of products of int8, exact: four inputs at a time, those of a lane beside each other.
struct Dots4 {
  __m128i v;
  // Of the four for every lane, as words: the first and the third, the second and the fourth.
  struct Inputs {
    __m128i even, odd;
  };
  static __m128i evenBytes(__m128i quads) { return _mm_srai_epi16(_mm_slli_epi16(quads, 8), 8); }
  static __m128i oddBytes(__m128i quads) { return _mm_srai_epi16(quads, 8); }
  static Inputs broadcast(const int8_t* q) {
    int32_t quad;
    __builtin_memcpy(&quad, q, sizeof quad);
    const __m128i quads = _mm_set1_epi32(quad);
    return {evenBytes(quads), oddBytes(quads)};
  }
  static Dots4 zero() { return {_mm_setzero_si128()}; }
  static Dots4 load(const float* p) { return {_mm_castps_si128(_mm_load_ps(p))}; }
  void store(float* p) const { _mm_store_ps(p, _mm_castsi128_ps(v)); }
  Dots4 plus(const int32_t* w, Inputs in) const {
    const __m128i weights = _mm_load_si128(reinterpret_cast<const __m128i*>(w));
    const __m128i even = _mm_madd_epi16(evenBytes(weights), in.even);
    const __m128i odd = _mm_madd_epi16(oddBytes(weights), in.odd);
    return {_mm_add_epi32(v, _mm_add_epi32(even, odd))};
  }
};

} // namespace
