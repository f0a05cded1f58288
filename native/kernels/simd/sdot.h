// Four sums by sdot: four products of int8 added to each lane at once, exact.
#pragma once
#include "../../spec/compiler.h"
#include "neon.h"

namespace {

struct SdotDots4 {
  int32x4_t v;
  using Inputs = int8x16_t; // four for every lane
  static RNN_INLINE Inputs broadcast(const int8_t* q) { return Dots4::broadcast(q); }
  static RNN_INLINE SdotDots4 zero() { return {vdupq_n_s32(0)}; }
  static RNN_INLINE SdotDots4 load(const float* p) { return {Dots4::load(p).v}; }
  RNN_INLINE void store(float* p) const { Dots4{v}.store(p); }
  RNN_INLINE SdotDots4 plus(const int32_t* w, Inputs a) const {
    return {vdotq_s32(v, vreinterpretq_s8_s32(vld1q_s32(w)), a)};
  }
};

} // namespace
