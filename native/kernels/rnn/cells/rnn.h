// Elman cell (Elman, "Finding Structure in Time", 1990; torch.nn.RNN): h' = f(W_ih·x + b_ih + W_hh·h + b_hh).
#pragma once
#include "cell.h"

namespace {

struct RnnTanh : Cell<1> {
  static constexpr CellKind kind = CellKind::rnnTanh;
  template <class V>
  static RNN_INLINE V next(const V* x, const V* s, Unit<V>&) {
    return tanh(x[0] + s[0]);
  }
};

struct RnnRelu : Cell<1> {
  static constexpr CellKind kind = CellKind::rnnRelu;
  template <class V>
  static RNN_INLINE V next(const V* x, const V* s, Unit<V>&) {
    const V sum = x[0] + s[0];
    // Written so that NaN stays NaN.
    return select(sum < V::set(0.0f), V::set(0.0f), sum);
  }
};

} // namespace
