// The functions of one number that a program computes; the one list of them. lib/backends/protocol.ts is its twin.
#pragma once
#include "activation.h"

namespace native_rnn {

// The first ones are ActivationKind's, with their numbers.
enum class MapFunction : uint8_t {
  tanh,
  sigmoid,
  relu,
  affine,
  leakyRelu,
  thresholdedRelu,
  scaledTanh,
  hardSigmoid,
  elu,
  softsign,
  softplus,
  abs,
  neg,
  sign, // ±0 stays
  ceil,
  floor,
  round, // half to even
  sqrt,
  reciprocal,
  exp,
  log,
  erf,
  sin,
  cos,
  gelu,      // x · Φ(x)
  geluTanh,  // x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 · x³)))
  hardSwish, // x · (x / 6 + 1/2 within 0 and 1)
  selu,      // beta · x, below 0 beta · alpha · (e^x − 1)
  clip,      // x within alpha and beta; beta where they cross
  logicalNot // of bools alone
};
constexpr size_t mapFunctions = size_t(MapFunction::logicalNot) + 1;
static_assert(size_t(MapFunction::abs) == activationKinds, "the activations come first");

} // namespace native_rnn
