// The activation functions of ONNX, and those that a cell computes with. lib/spec/activations.ts is the twin of the
// list.
#pragma once
#include <cstddef>
#include <cstdint>

namespace native_rnn {

enum class ActivationKind : uint8_t {
  tanh,
  sigmoid,
  relu,            // max(x, 0)
  affine,          // alpha · x + beta
  leakyRelu,       // x, below 0 alpha · x
  thresholdedRelu, // x, below alpha 0
  scaledTanh,      // alpha · tanh(beta · x)
  hardSigmoid,     // alpha · x + beta within 0 and 1
  elu,             // x, below 0 alpha · (e^x − 1)
  softsign,        // x / (1 + |x|)
  softplus         // log(1 + e^x)
};
constexpr size_t activationKinds = size_t(ActivationKind::softplus) + 1;

struct Activation {
  ActivationKind kind;
  float alpha, beta;
};

// Of a general cell in one direction, by ONNX's names: f of the gates, g of the candidate, h of an LSTM's cell state.
struct CellFunctions {
  Activation f, g, h;
  float clip;       // bounds what enters each; infinite: nothing does
  bool inputForget; // the forget gate is 1 − i
};

} // namespace native_rnn
