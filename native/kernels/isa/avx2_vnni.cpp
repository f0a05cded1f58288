// AVX2's products of int8 where the processor has AVX-VNNI. Compilers that are too old for it leave the object empty.
#include "../../spec/compiler.h"

#if defined(RNN_HAS_AVX_VNNI)
// Not by a flag, which an older compiler would refuse.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avxvnni"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC target("avxvnni")
#endif

#include "vec8_tiling.h"

#include "../matmul/dots.h"

namespace {

struct Registers8 {
  using Type = __m256i;
  static RNN_INLINE Type set(int32_t x) { return _mm256_set1_epi32(x); }
  static RNN_INLINE Type load(const void* p) { return _mm256_load_si256(static_cast<const __m256i*>(p)); }
  static RNN_INLINE void store(Type v, void* p) { _mm256_store_si256(static_cast<__m256i*>(p), v); }
  static RNN_INLINE Type flip(Type a, Type bits) { return _mm256_xor_si256(a, bits); }
  static RNN_INLINE Type add(Type a, Type b) { return _mm256_add_epi32(a, b); }
  static RNN_INLINE Type dots(Type sums, Type w, Type a) { return _mm256_dpbusd_avx_epi32(sums, w, a); }
};

} // namespace

namespace native_rnn {
extern const DotKernels avx2VnniKernels;
const DotKernels avx2VnniKernels = makeDotKernels<WithDots<Vec8, VnniDots<Registers8>>>("avxvnni", cpuAvxVnni);
} // namespace native_rnn

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
