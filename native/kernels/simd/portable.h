// Four floats for any processor, without intrinsics but what sse2.h has of them. Fused only where the compiler has fma
// in hardware.
#pragma once
#include "parts.h"
#include <cstddef>
#include <cstdint>
#if !defined(__GNUC__)
#include "vector4.h"
#endif
#if defined(__GNUC__) && defined(__SSE2__)
#include "sse2.h"
#define RNN_SSE2
#endif

namespace {

// Vector types of GCC and Clang; other compilers get the same by hand.
#if defined(__GNUC__)
typedef float Floats __attribute__((vector_size(16)));
typedef int32_t Ints __attribute__((vector_size(16)));
typedef uint32_t WrappingInts __attribute__((vector_size(16)));
#else
using WrappingInts = Ints;
#endif

#if defined(__FP_FAST_FMAF) || (defined(__GNUC__) && defined(__aarch64__))
constexpr bool hardwareFma = true;
#else
constexpr bool hardwareFma = false;
#endif

#if !defined(RNN_SSE2)
inline Floats floatsOfInts(const float* p) {
  int32_t ints[4];
  __builtin_memcpy(ints, p, sizeof ints);
  return Floats{float(ints[0]), float(ints[1]), float(ints[2]), float(ints[3])};
}
inline Floats floatsOfInt8(const int8_t* p) { return Floats{float(p[0]), float(p[1]), float(p[2]), float(p[3])}; }
// Four halves: their digits in a float's place, 2^112 times too small, whatever their exponents are.
inline Floats floatsOfHalves(const uint16_t* p) {
  const Ints bits = {p[0], p[1], p[2], p[3]};
  const float up = 5.192296858534828e33f;
  const Floats sizes = (Floats)((bits & 0x7fff) << 13) * Floats{up, up, up, up};
  return (Floats)((Ints)sizes | (Ints)((WrappingInts)(bits & 0x8000) << 16));
}

// Four sums of products of int8, exact: four inputs at a time, those of a lane beside each other.
struct Dots4 {
  int32_t v[4];
  struct Inputs {
    int32_t a[4];
  };
  static Inputs broadcast(const int8_t* q) { return {{q[0], q[1], q[2], q[3]}}; }
  static Dots4 zero() { return {{0, 0, 0, 0}}; }
  static Dots4 load(const float* p) {
    Dots4 r;
    __builtin_memcpy(r.v, p, sizeof r.v);
    return r;
  }
  void store(float* p) const { __builtin_memcpy(p, v, sizeof v); }
  Dots4 plus(const int32_t* w, Inputs in) const {
    const int8_t* const b = reinterpret_cast<const int8_t*>(w);
    Dots4 r;
    for (int i = 0; i < 4; i++)
      r.v[i] = v[i] + b[4 * i] * in.a[0] + b[4 * i + 1] * in.a[1] + b[4 * i + 2] * in.a[2] + b[4 * i + 3] * in.a[3];
    return r;
  }
};
#endif

struct Vec4 {
  using Dots = Dots4;
  static constexpr int lanes = 4;
  static constexpr bool hasHalfPanels = false;
  static constexpr bool fused = hardwareFma;
  Floats v;
  static Vec4 load(const float* p) {
    Vec4 r;
    __builtin_memcpy(&r.v, p, sizeof r.v);
    return r;
  }
  static Vec4 set(float x) { return {Floats{x, x, x, x}}; }
  static Vec4 broadcast(const float* p) { return set(*p); }
  void store(float* p) const { __builtin_memcpy(p, &v, sizeof v); }
  static Vec4 loadAny(const float* p) { return load(p); }
  void storeAny(float* p) const { store(p); }
  // Weights in narrower types.
  static Vec4 loadHalves(const uint16_t* p) { return {floatsOfHalves(p)}; }
  static Vec4 loadBits(const uint32_t* p) {
    Vec4 r;
    __builtin_memcpy(&r.v, p, sizeof r.v);
    return r;
  }
  // Of each lane the lower 16 bits, or the upper ones, as the upper ones of a float.
  Vec4 lowHalves() const { return {(Floats)((WrappingInts)v << 16)}; }
  Vec4 highHalves() const { return {(Floats)((Ints)v & int32_t(0xffff0000))}; }
  static Vec4 loadInt8(const int8_t* p) { return {floatsOfInt8(p)}; }
  // Whole numbers in place of floats.
  static Vec4 ofInts(const float* p) { return {floatsOfInts(p)}; }
  // The lowest byte of each lane.
  void storeLowBytes(int8_t* p) const {
    const Ints bits = (Ints)v;
    for (int i = 0; i < 4; i++)
      p[i] = int8_t(bits[i]);
  }
  // Of negative numbers the largest size; NaN is above all.
  float largestSize() const {
    const Ints bits = (Ints)v;
    const int a = bits[1] > bits[0], b = bits[3] > bits[2] ? 3 : 2;
    return -v[bits[b] > bits[a] ? b : a];
  }
  static Vec4 loadFirst(const float* p, size_t n) { return loadFirstOf<Vec4>(p, n); }
  void storeFirst(float* p, size_t n) const { storeFirstOf(*this, p, n); }
};
inline Vec4 operator+(Vec4 a, Vec4 b) { return {a.v + b.v}; }
inline Vec4 operator-(Vec4 a, Vec4 b) { return {a.v - b.v}; }
inline Vec4 operator*(Vec4 a, Vec4 b) { return {a.v * b.v}; }
inline Vec4 operator/(Vec4 a, Vec4 b) { return {a.v / b.v}; }
inline Ints operator<(Vec4 a, Vec4 b) { return a.v < b.v; }
inline Ints operator==(Vec4 a, Vec4 b) { return a.v == b.v; }
inline bool any(Ints mask) { return (mask[0] | mask[1] | mask[2] | mask[3]) != 0; }
inline Vec4 sqrt(Vec4 a) {
  for (int i = 0; i < 4; i++)
    a.v[i] = __builtin_sqrtf(a.v[i]);
  return a;
}
// Of a loop over fmaf the compilers make four scalar instructions and the moves around them; on Arm it is named
// instead.
inline Vec4 fma(Vec4 a, Vec4 b, Vec4 c) {
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
inline Vec4 fnma(Vec4 a, Vec4 b, Vec4 c) {
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
inline Vec4 select(Ints mask, Vec4 a, Vec4 b) { return {(Floats)((mask & (Ints)a.v) | (~mask & (Ints)b.v))}; }
// NaN where b is.
inline Vec4 min(Vec4 a, Vec4 b) { return select(a < b, a, b); }
inline Vec4 max(Vec4 a, Vec4 b) { return select(b < a, a, b); }
inline Vec4 negativeAbs(Vec4 a) { return {(Floats)((Ints)a.v | int32_t(0x80000000))}; }
// Of two negative numbers the one of the larger size; NaN is above all.
inline Vec4 largerSize(Vec4 a, Vec4 b) { return select((Ints)a.v < (Ints)b.v, b, a); }
inline Vec4 copySign(Vec4 a, Vec4 sign) { return {(Floats)((Ints)a.v | ((Ints)sign.v & int32_t(0x80000000)))}; }
// one · 2^n, n in the low bits of t
inline Vec4 powerOfTwo(Vec4 t, Vec4 one) {
  // Of NaN the low bits are anything.
  return {(Floats)(((WrappingInts)t.v << 23) + (WrappingInts)one.v)};
}
// Of a positive normal x = significand · 2^exponent, the significand from 1 to below 2.
inline Vec4 significand(Vec4 x) { return {(Floats)(((Ints)x.v & 0x7fffff) | 0x3f800000)}; }
inline Vec4 exponent(Vec4 x) {
  // In the low bits of 2^23, from where a difference takes it.
  return Vec4{(Floats)(((Ints)x.v >> 23) | 0x4b000000)} - Vec4::set(8388735.0f);
}

} // namespace
