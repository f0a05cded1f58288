// Four floats in a WebAssembly vector (SIMD128, nothing of relaxed SIMD): a product and a sum round apart, so that the
// bits are those of portable.h where that has no fma.
#pragma once
#include "parts.h"
#include <cstddef>
#include <cstdint>
#include <wasm_simd128.h>

namespace {

// A value that the compiler knows nothing of: clang 14 widens and converts lane by lane where it sees both.
inline v128_t asItIs(v128_t v) {
  __asm__("" : "+r"(v));
  return v;
}

// Four sums of products of int8, exact: four inputs at a time, those of a lane beside each other.
struct Dots4 {
  v128_t v;
  // Of the four for every lane, as words: the first and the third, the second and the fourth.
  struct Inputs {
    v128_t even, odd;
  };
  static v128_t evenBytes(v128_t quads) { return wasm_i16x8_shr(wasm_i16x8_shl(quads, 8), 8); }
  static v128_t oddBytes(v128_t quads) { return wasm_i16x8_shr(quads, 8); }
  static Inputs broadcast(const int8_t* q) {
    const v128_t quad = wasm_v128_load32_splat(q);
    return {evenBytes(quad), oddBytes(quad)};
  }
  static Dots4 zero() { return {wasm_i32x4_const_splat(0)}; }
  static Dots4 load(const float* p) { return {wasm_v128_load(p)}; }
  void store(float* p) const { wasm_v128_store(p, v); }
  Dots4 plus(const int32_t* w, Inputs in) const {
    const v128_t weights = wasm_v128_load(w);
    const v128_t even = wasm_i32x4_dot_i16x8(evenBytes(weights), in.even);
    const v128_t odd = wasm_i32x4_dot_i16x8(oddBytes(weights), in.odd);
    return {wasm_i32x4_add(v, wasm_i32x4_add(even, odd))};
  }
};

struct Vec4 {
  using Dots = Dots4;
  static constexpr int lanes = 4;
  static constexpr bool hasHalfPanels = false;
  static constexpr bool fused = false;
  v128_t v;
  static Vec4 load(const float* p) { return {wasm_v128_load(p)}; }
  static Vec4 set(float x) { return {wasm_f32x4_splat(x)}; }
  static Vec4 broadcast(const float* p) { return {wasm_v128_load32_splat(p)}; }
  void store(float* p) const { wasm_v128_store(p, v); }
  static Vec4 loadAny(const float* p) { return load(p); }
  void storeAny(float* p) const { store(p); }
  // Weights in narrower types.
  static Vec4 loadHalves(const uint16_t* p) {
    // A half's digits in a float's place, 2^112 times too small, whatever its exponent is.
    const v128_t bits = wasm_i32x4_shl(asItIs(wasm_i32x4_load16x4(p)), 13);
    const v128_t digits = wasm_v128_and(bits, wasm_i32x4_const_splat(int32_t(0x8fffffff)));
    return {wasm_f32x4_mul(digits, wasm_f32x4_const_splat(5.192296858534828e33f))};
  }
  static Vec4 loadBits(const uint32_t* p) { return {wasm_v128_load(p)}; }
  // Of each lane the lower 16 bits, or the upper ones, as the upper ones of a float.
  Vec4 lowHalves() const { return {wasm_i32x4_shl(v, 16)}; }
  Vec4 highHalves() const { return {wasm_v128_and(v, wasm_i32x4_const_splat(int32_t(0xffff0000)))}; }
  static Vec4 loadInt8(const int8_t* p) {
    const v128_t words = wasm_i16x8_extend_low_i8x16(wasm_v128_load32_zero(p));
    return {wasm_f32x4_convert_i32x4(asItIs(wasm_i32x4_extend_low_i16x8(words)))};
  }
  // Whole numbers in place of floats.
  static Vec4 ofInts(const float* p) { return {wasm_f32x4_convert_i32x4(wasm_v128_load(p))}; }
  // The lowest byte of each lane.
  void storeLowBytes(int8_t* p) const {
    wasm_v128_store32_lane(p, wasm_i8x16_shuffle(v, v, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12), 0);
  }
  // Of negative numbers the largest size; NaN is above all.
  float largestSize() const {
    v128_t x = wasm_i32x4_max(v, wasm_i32x4_shuffle(v, v, 2, 3, 0, 1));
    x = wasm_i32x4_max(x, wasm_i32x4_shuffle(x, x, 1, 0, 3, 2));
    return -wasm_f32x4_extract_lane(x, 0);
  }
  static Vec4 loadFirst(const float* p, size_t n) { return loadFirstOf<Vec4>(p, n); }
  void storeFirst(float* p, size_t n) const { storeFirstOf(*this, p, n); }
};
// What a comparison gives: all bits of a lane, or none.
struct Mask4 {
  v128_t v;
};
inline Vec4 operator+(Vec4 a, Vec4 b) { return {wasm_f32x4_add(a.v, b.v)}; }
inline Vec4 operator-(Vec4 a, Vec4 b) { return {wasm_f32x4_sub(a.v, b.v)}; }
inline Vec4 operator*(Vec4 a, Vec4 b) { return {wasm_f32x4_mul(a.v, b.v)}; }
inline Vec4 operator/(Vec4 a, Vec4 b) { return {wasm_f32x4_div(a.v, b.v)}; }
inline Vec4 fma(Vec4 a, Vec4 b, Vec4 c) { return a * b + c; }
// c − a · b
inline Vec4 fnma(Vec4 a, Vec4 b, Vec4 c) { return c - a * b; }
inline Mask4 operator<(Vec4 a, Vec4 b) { return {wasm_f32x4_lt(a.v, b.v)}; }
inline Mask4 operator==(Vec4 a, Vec4 b) { return {wasm_f32x4_eq(a.v, b.v)}; }
inline Mask4 operator|(Mask4 a, Mask4 b) { return {wasm_v128_or(a.v, b.v)}; }
inline Mask4 operator&(Mask4 a, Mask4 b) { return {wasm_v128_and(a.v, b.v)}; }
inline bool any(Mask4 mask) { return wasm_v128_any_true(mask.v); }
inline Vec4 sqrt(Vec4 a) { return {wasm_f32x4_sqrt(a.v)}; }
inline Vec4 select(Mask4 mask, Vec4 a, Vec4 b) { return {wasm_v128_bitselect(a.v, b.v, mask.v)}; }
// NaN where b is: the instructions take the second operand where it is the smaller one, and else the first.
inline Vec4 min(Vec4 a, Vec4 b) { return {wasm_f32x4_pmin(b.v, a.v)}; }
inline Vec4 max(Vec4 a, Vec4 b) { return {wasm_f32x4_pmax(b.v, a.v)}; }
inline Vec4 negativeAbs(Vec4 a) { return {wasm_v128_or(a.v, wasm_i32x4_const_splat(int32_t(0x80000000)))}; }
// Of two negative numbers the one of the larger size; NaN is above all.
inline Vec4 largerSize(Vec4 a, Vec4 b) { return {wasm_i32x4_max(a.v, b.v)}; }
inline Vec4 copySign(Vec4 a, Vec4 sign) {
  return {wasm_v128_or(a.v, wasm_v128_and(sign.v, wasm_i32x4_const_splat(int32_t(0x80000000))))};
}
// one · 2^n, n in the low bits of t
inline Vec4 powerOfTwo(Vec4 t, Vec4 one) { return {wasm_i32x4_add(wasm_i32x4_shl(t.v, 23), one.v)}; }
// Of a positive normal x = significand · 2^exponent, the significand from 1 to below 2.
inline Vec4 significand(Vec4 x) {
  return {wasm_v128_or(wasm_v128_and(x.v, wasm_i32x4_const_splat(0x7fffff)), wasm_i32x4_const_splat(0x3f800000))};
}
inline Vec4 exponent(Vec4 x) {
  // In the low bits of 2^23, from where a difference takes it.
  const v128_t bits = wasm_v128_or(wasm_u32x4_shr(x.v, 23), wasm_i32x4_const_splat(0x4b000000));
  return {wasm_f32x4_sub(bits, wasm_f32x4_const_splat(8388735.0f))};
}

} // namespace
