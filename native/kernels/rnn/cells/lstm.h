// Long short-term memory (Hochreiter and Schmidhuber, 1997; torch.nn.LSTM). Gates i f g o, as PyTorch orders them.
// LstmPeephole: the gates also see the cell state (Gers, Schraudolph and Schmidhuber, 2002): i and f the old, o the
// new.
#pragma once
#include "cell.h"

namespace {

// c' = f ⊙ c + i ⊙ g
template <class V>
RNN_INLINE V lstmCellState(V i, V f, V g, V c) {
  return fma(f, c, i * g);
}

struct Lstm : Cell<4> {
  static constexpr CellKind kind = CellKind::lstm;
  static constexpr bool hasCellState = true;
  template <class V>
  static RNN_INLINE V next(const V* x, const V* s, Unit<V>& u) {
    const V i = sigmoid(x[0] + s[0]);
    const V f = sigmoid(x[1] + s[1]);
    const V g = tanh(x[2] + s[2]);
    u.c = lstmCellState(i, f, g, u.c);
    return sigmoid(x[3] + s[3]) * tanh(u.c);
  }
};

struct LstmPeephole : Cell<4> {
  static constexpr CellKind kind = CellKind::lstmPeephole;
  static constexpr bool hasCellState = true;
  static constexpr bool hasPeepholes = true;
  template <class V>
  static RNN_INLINE V next(const V* x, const V* s, Unit<V>& u) {
    const V i = sigmoid(fma(u.peephole[0], u.c, x[0] + s[0]));
    const V f = sigmoid(fma(u.peephole[1], u.c, x[1] + s[1]));
    const V g = tanh(x[2] + s[2]);
    u.c = lstmCellState(i, f, g, u.c);
    return sigmoid(fma(u.peephole[2], u.c, x[3] + s[3])) * tanh(u.c);
  }
};

} // namespace
