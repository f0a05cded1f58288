// AVX-512's products of int8 where the processor has VNNI: 512 bits, and 256 for half panels.
#include "vec16_tiling.h"

#include "../matmul/dots.h"

namespace {

struct Registers8 {
  using Type = __m256i;
  static RNN_INLINE Type set(int32_t x) { return _mm256_set1_epi32(x); }
  static RNN_INLINE Type load(const void* p) { return _mm256_load_si256(static_cast<const __m256i*>(p)); }
  static RNN_INLINE void store(Type v, void* p) { _mm256_store_si256(static_cast<__m256i*>(p), v); }
  static RNN_INLINE Type flip(Type a, Type bits) { return _mm256_xor_si256(a, bits); }
  static RNN_INLINE Type add(Type a, Type b) { return _mm256_add_epi32(a, b); }
  static RNN_INLINE Type dots(Type sums, Type w, Type a) { return _mm256_dpbusd_epi32(sums, w, a); }
};
struct Registers16 {
  using Type = __m512i;
  static RNN_INLINE Type set(int32_t x) { return _mm512_set1_epi32(x); }
  static RNN_INLINE Type load(const void* p) { return _mm512_load_si512(p); }
  static RNN_INLINE void store(Type v, void* p) { _mm512_store_si512(p, v); }
  static RNN_INLINE Type flip(Type a, Type bits) { return _mm512_xor_si512(a, bits); }
  static RNN_INLINE Type add(Type a, Type b) { return _mm512_add_epi32(a, b); }
  static RNN_INLINE Type dots(Type sums, Type w, Type a) { return _mm512_dpbusd_epi32(sums, w, a); }
};
using Half16 = WithDots<Vec8, VnniDots<Registers8>>;

} // namespace

namespace native_rnn {
extern const DotKernels avx512VnniKernels;
const DotKernels avx512VnniKernels =
    makeDotKernels<WithDots<Vec16, VnniDots<Registers16>, Half16>>("avx512vnni", cpuAvx512Vnni);
} // namespace native_rnn
