// Eight integers of 32 bits in an AVX register, for sums by VNNI's instructions.
#pragma once
#include "../../spec/compiler.h"
#include <cstdint>
#include <immintrin.h>

namespace {

struct Integers8 {
  using Type = __m256i;
  static RNN_INLINE Type set(int32_t x) { return _mm256_set1_epi32(x); }
  static RNN_INLINE Type load(const void* p) { return _mm256_load_si256(static_cast<const __m256i*>(p)); }
  static RNN_INLINE void store(Type v, void* p) { _mm256_store_si256(static_cast<__m256i*>(p), v); }
  static RNN_INLINE Type flip(Type a, Type bits) { return _mm256_xor_si256(a, bits); }
  static RNN_INLINE Type add(Type a, Type b) { return _mm256_add_epi32(a, b); }
  static RNN_INLINE Type subtract(Type a, Type b) { return _mm256_sub_epi32(a, b); }
};

} // namespace
