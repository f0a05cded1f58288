// Any CPU: 4 floats a vector, without intrinsics. Fused only where the compiler has fma in hardware.
#include <cstddef>
#include <cstdint>

#include "../matmul/tiling.h"

namespace {

#if defined(__FP_FAST_FMAF) || (defined(__GNUC__) && defined(__aarch64__))
constexpr bool hardwareFma = true;
#else
constexpr bool hardwareFma = false;
#endif

// Vector types of GCC and Clang; other compilers get the same by hand.
#if defined(__GNUC__)
typedef float Floats __attribute__((vector_size(16)));
typedef int32_t Ints __attribute__((vector_size(16)));
#else
#include "../simd/vector4.h"
#endif

struct Vec {
  static constexpr int lanes = 4;
  static constexpr Tiling tiling{
      12,    10,    // one row, the only block: sums, panels at most
      12,    12,    // one of several blocks, one of a large product: sums
      10,    5,  5, // a tile: sums (a product without fma takes registers too), rows at most, and of one vector a panel
      16384,        // bytes of weights in a slice
      0,            // rows of input sums made ahead
  };
  static constexpr bool hasHalfPanels = false;
  static constexpr bool fused = hardwareFma;
  Floats v;
  static Vec load(const float* p) {
    Vec r;
    __builtin_memcpy(&r.v, p, sizeof r.v);
    return r;
  }
  static Vec set(float x) { return {Floats{x, x, x, x}}; }
  static Vec broadcast(const float* p) { return set(*p); }
  void store(float* p) const { __builtin_memcpy(p, &v, sizeof v); }
};
inline Vec operator+(Vec a, Vec b) { return {a.v + b.v}; }
inline Vec operator-(Vec a, Vec b) { return {a.v - b.v}; }
inline Vec operator*(Vec a, Vec b) { return {a.v * b.v}; }
inline Vec operator/(Vec a, Vec b) { return {a.v / b.v}; }
inline Ints operator<(Vec a, Vec b) { return a.v < b.v; }
// Of a loop over fmaf the compilers make four scalar instructions and the moves around them; on Arm it is named
// instead.
inline Vec fma(Vec a, Vec b, Vec c) {
#if defined(__GNUC__) && defined(__aarch64__)
  __asm__("fmla %0.4s, %1.4s, %2.4s" : "+w"(c.v) : "w"(a.v), "w"(b.v));
  return c;
#endif
  if constexpr (hardwareFma) {
    for (int i = 0; i < 4; i++)
      c.v[i] = __builtin_fmaf(a.v[i], b.v[i], c.v[i]);
    return c;
  }
  return {a.v * b.v + c.v};
}
// c − a · b
inline Vec fnma(Vec a, Vec b, Vec c) {
#if defined(__GNUC__) && defined(__aarch64__)
  __asm__("fmls %0.4s, %1.4s, %2.4s" : "+w"(c.v) : "w"(a.v), "w"(b.v));
  return c;
#endif
  if constexpr (hardwareFma) {
    for (int i = 0; i < 4; i++)
      c.v[i] = __builtin_fmaf(-a.v[i], b.v[i], c.v[i]);
    return c;
  }
  return {c.v - a.v * b.v};
}
inline Vec select(Ints mask, Vec a, Vec b) { return {(Floats)((mask & (Ints)a.v) | (~mask & (Ints)b.v))}; }
// NaN where b is.
inline Vec min(Vec a, Vec b) { return select(a < b, a, b); }
inline Vec max(Vec a, Vec b) { return select(b < a, a, b); }
inline Vec negativeAbs(Vec a) { return {(Floats)((Ints)a.v | int32_t(0x80000000))}; }
inline Vec copySign(Vec a, Vec sign) { return {(Floats)((Ints)a.v | ((Ints)sign.v & int32_t(0x80000000)))}; }
// one · 2^n, n in the low bits of t
inline Vec powerOfTwo(Vec t, Vec one) { return {(Floats)(((Ints)t.v << 23) + (Ints)one.v)}; }

} // namespace

#include "../rnn/recurrence.h"

namespace native_rnn {
extern const Kernels portableKernels;
const Kernels portableKernels = makeKernels<Vec>("portable", 0);
} // namespace native_rnn
