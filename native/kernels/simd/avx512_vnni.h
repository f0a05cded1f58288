// VNNI of AVX-512: 512 bits of sums, and 256 for half panels.
#pragma once
#include "integers8.h"

namespace {

struct Avx512Vnni8 : Integers8 {
  static RNN_INLINE Type dots(Type sums, Type w, Type a) { return _mm256_dpbusd_epi32(sums, w, a); }
};
struct Avx512Vnni16 {
  using Type = __m512i;
  static RNN_INLINE Type set(int32_t x) { return _mm512_set1_epi32(x); }
  static RNN_INLINE Type load(const void* p) { return _mm512_load_si512(p); }
  static RNN_INLINE void store(Type v, void* p) { _mm512_store_si512(p, v); }
  static RNN_INLINE Type flip(Type a, Type bits) { return _mm512_xor_si512(a, bits); }
  static RNN_INLINE Type add(Type a, Type b) { return _mm512_add_epi32(a, b); }
  static RNN_INLINE Type subtract(Type a, Type b) { return _mm512_sub_epi32(a, b); }
  static RNN_INLINE Type dots(Type sums, Type w, Type a) { return _mm512_dpbusd_epi32(sums, w, a); }
};

} // namespace
