// Long short-term memory (Hochreiter and Schmidhuber, 1997; torch.nn.LSTM): c' = f ⊙ c + i ⊙ g, h' = o ⊙ tanh(c').
// Gates i f g o, as PyTorch orders them.
// LstmPeephole: the gates also see the cell state (Gers, Schraudolph and Schmidhuber, 2002): i and f the old, o the
// new.
#pragma once
#include "cell.h"

namespace {

struct Lstm : Cell<4> {
  static constexpr CellKind kind = CellKind::lstm;
  static constexpr bool hasCellState = true;
  static constexpr int carried = 1;
  template <class V>
  static RNN_INLINE void begin(const V* x, V* s, Unit<V>& u) {
    const V ig = sigmoidTanh(x[0] + s[0], x[2] + s[2]);
    const V f = sigmoid(x[1] + s[1]);
    u.c = fma(f, u.c, ig);
    s[3] = x[3] + s[3];
  }
  template <class V>
  static RNN_INLINE V end(const V* s, const Unit<V>& u) {
    return sigmoidTanh(s[3], u.c);
  }
};

struct LstmPeephole : Cell<4> {
  static constexpr CellKind kind = CellKind::lstmPeephole;
  static constexpr bool hasCellState = true;
  static constexpr bool hasPeepholes = true;
  static constexpr int carried = 1;
  template <class V>
  static RNN_INLINE void begin(const V* x, V* s, Unit<V>& u) {
    const V ig = sigmoidTanh(fma(u.peephole[0], u.c, x[0] + s[0]), x[2] + s[2]);
    const V f = sigmoid(fma(u.peephole[1], u.c, x[1] + s[1]));
    u.c = fma(f, u.c, ig);
    s[3] = x[3] + s[3];
  }
  template <class V>
  static RNN_INLINE V end(const V* s, const Unit<V>& u) {
    return sigmoidTanh(fma(u.peephole[2], u.c, s[3]), u.c);
  }
};

} // namespace
