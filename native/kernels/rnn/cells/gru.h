// Gated recurrent unit (Cho et al., arXiv:1406.1078). Gates r z n, as torch.nn.GRU orders them.
// Gru: the reset gate after the product (PyTorch, cuDNN); GruResetBefore: before it (the paper, ONNX's default).
#pragma once
#include "cell.h"

namespace {

// h' = (1 − z) ⊙ n + z ⊙ h
template <class V>
RNN_INLINE V gruMix(V z, V n, V h) {
  return fma(z, h - n, n);
}

struct Gru : Cell<3> {
  static constexpr CellKind kind = CellKind::gru;
  static constexpr bool readsState = true;
  static constexpr int carried = 2;
  // n = tanh(x_n + r ⊙ s_n)
  template <class V>
  static RNN_INLINE void begin(const V* x, V* s, Unit<V>&) {
    const V r = sigmoid(x[0] + s[0]);
    s[1] = sigmoid(x[1] + s[1]);
    s[2] = fma(r, s[2], x[2]);
  }
  template <class V>
  static RNN_INLINE V end(const V* s, const Unit<V>& u) {
    return gruMix(s[1], tanh(s[2]), u.h);
  }
};

struct GruResetBefore : Cell<2> {
  static constexpr CellKind kind = CellKind::gruResetBefore;
  static constexpr bool readsState = true;
  static constexpr int candidates = 1;
  // First phase: r and z; what the second product runs over is r ⊙ h.
  template <class V>
  static RNN_INLINE V next(const V* x, const V* s, Unit<V>& u) {
    u.updateGate = sigmoid(x[1] + s[1]);
    return sigmoid(x[0] + s[0]) * u.h;
  }
  // Second phase: n = tanh(x_n + W_hn·(r ⊙ h) + b_hn)
  template <class V>
  static RNN_INLINE V candidate(V x, V s, const Unit<V>& u) {
    return gruMix(u.updateGate, tanh(x + s), u.h);
  }
};

} // namespace
