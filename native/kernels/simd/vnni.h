// Sums of products of int8 by the instruction of x86's Vector Neural Network Instructions (vpdpbusd): four products of
// a byte without sign and one with a sign, added to each lane at once, modulo 2^32. Weights lie there with their sign,
// as for everybody; with the upper bit flipped they are 128 larger and have none, and 128 times the sum of the inputs,
// which is known for the whole row, comes off at the start. Flipping inputs instead would ask for the sums of all
// columns.
#pragma once
#include "../../spec/compiler.h"
#include <cstdint>

namespace {

// Registers: a type of them, and what is done to it.
template <class Registers>
struct VnniDots {
  using Register = typename Registers::Type;
  using Inputs = Register; // four for every lane
  struct Weights {
    Register flipped;
  };
  Register v;
  static RNN_INLINE Inputs broadcast(const int8_t* q) {
    int32_t quad;
    __builtin_memcpy(&quad, q, sizeof quad);
    return Registers::set(quad);
  }
  static RNN_INLINE VnniDots start(int32_t sum) { return {Registers::set(int32_t(-128u * uint32_t(sum)))}; }
  static RNN_INLINE VnniDots load(const float* p) { return {Registers::load(p)}; }
  RNN_INLINE void store(float* p) const { Registers::store(v, p); }
  static RNN_INLINE Weights weights(const int32_t* w) {
    return {Registers::flip(Registers::load(w), Registers::set(int32_t(0x80808080u)))};
  }
  // Four inputs for each lane.
  RNN_INLINE VnniDots plusSum(const int8_t* q) const {
    return plus(Weights{Registers::set(0x01010101)}, Registers::load(q));
  }
  // What stands for weights of 0.
  static RNN_INLINE Weights flippedZeros() { return {Registers::set(int32_t(0x80808080u))}; }
  RNN_INLINE VnniDots minus(VnniDots other) const { return {Registers::subtract(v, other.v)}; }
  RNN_INLINE VnniDots plus(VnniDots other) const { return {Registers::add(v, other.v)}; }
  RNN_INLINE VnniDots plus(Weights w, Inputs a) const { return {Registers::dots(v, w.flipped, a)}; }
  RNN_INLINE VnniDots plus(const int32_t* w, Inputs a) const { return plus(weights(w), a); }
};

// Kinds of sums that want to know the inputs' sum.
template <class Dots>
constexpr bool takesSums = false;
template <class Registers>
constexpr bool takesSums<VnniDots<Registers>> = true;

} // namespace
