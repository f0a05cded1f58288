// The cells whose functions are given beside them: all that ONNX's RNN, GRU and LSTM can ask for. The fast cells have
// theirs built in; here a switch picks one for each vector.
#pragma once
#include "../../simd/vec_pair.h"
#include "gru.h"
#include "lstm.h"

namespace {

// A function of its own: five copies of it in each cell would be most of their code.
template <class V>
RNN_NOINLINE V activateVector(const Activation& a, float clip, V x) {
  const V zero = V::set(0.0f), one = V::set(1.0f), alpha = V::set(a.alpha), beta = V::set(a.beta);
  // Like all of these, written so that NaN stays NaN.
  x = min(V::set(clip), max(V::set(-clip), x));
  switch (a.kind) {
  case ActivationKind::tanh:
    return tanh(x);
  case ActivationKind::sigmoid:
    return sigmoid(x);
  case ActivationKind::relu:
    return select(x < zero, zero, x);
  case ActivationKind::affine:
    return fma(alpha, x, beta);
  case ActivationKind::leakyRelu:
    return select(x < zero, alpha * x, x);
  case ActivationKind::thresholdedRelu:
    return select(x < alpha, zero, x);
  case ActivationKind::scaledTanh:
    return alpha * tanh(beta * x);
  case ActivationKind::hardSigmoid: {
    // Not by max: of 0 and −0 the instruction sets take different ones.
    const V y = fma(alpha, x, beta);
    return select(y < zero, zero, select(one < y, one, y));
  }
  case ActivationKind::elu:
    return select(x < zero, alpha * expm1OfNegative(x), x);
  case ActivationKind::softsign:
    return x / (one - negativeAbs(x));
  case ActivationKind::softplus:
    return max(zero, x) + log1pOfUnit(exp(negativeAbs(x)));
  }
  return x;
}
template <class V>
RNN_INLINE V activate(const Activation& a, float clip, V x) {
  return activateVector(a, clip, x);
}
template <class V>
RNN_INLINE VecPair<V> activate(const Activation& a, float clip, VecPair<V> x) {
  return {activateVector(a, clip, x.a), activateVector(a, clip, x.b)};
}

template <class V>
RNN_INLINE V activateF(const Unit<V>& u, V x) {
  return activate(u.functions->f, u.functions->clip, x);
}
template <class V>
RNN_INLINE V activateG(const Unit<V>& u, V x) {
  return activate(u.functions->g, u.functions->clip, x);
}

struct RnnGeneral : Cell<1> {
  static constexpr CellKind kind = CellKind::rnnGeneral;
  static constexpr bool general = true;
  template <class V>
  static RNN_INLINE V next(const V* x, const V* s, Unit<V>& u) {
    return activateF(u, x[0] + s[0]);
  }
};

struct GruGeneral : Cell<3> {
  static constexpr CellKind kind = CellKind::gruGeneral;
  static constexpr bool general = true;
  static constexpr bool readsState = true;
  template <class V>
  static RNN_INLINE V next(const V* x, const V* s, Unit<V>& u) {
    const V r = activateF(u, x[0] + s[0]);
    const V z = activateF(u, x[1] + s[1]);
    return gruMix(z, activateG(u, fma(r, s[2], x[2])), u.h);
  }
};

struct GruResetBeforeGeneral : Cell<2> {
  static constexpr CellKind kind = CellKind::gruResetBeforeGeneral;
  static constexpr bool general = true;
  static constexpr bool readsState = true;
  static constexpr int candidates = 1;
  template <class V>
  static RNN_INLINE V next(const V* x, const V* s, Unit<V>& u) {
    u.updateGate = activateF(u, x[1] + s[1]);
    return activateF(u, x[0] + s[0]) * u.h;
  }
  template <class V>
  static RNN_INLINE V candidate(V x, V s, const Unit<V>& u) {
    return gruMix(u.updateGate, activateG(u, x + s), u.h);
  }
};

// With peepholes or without: weights of 0 would make NaN of an infinite cell state.
struct LstmPeepholeGeneral : Cell<4> {
  static constexpr CellKind kind = CellKind::lstmPeepholeGeneral;
  static constexpr bool general = true;
  static constexpr bool hasCellState = true;
  static constexpr bool hasPeepholes = true;
  template <class V>
  static RNN_INLINE V next(const V* x, const V* s, Unit<V>& u) {
    const CellFunctions& functions = *u.functions;
    const auto gate = [&](int g, int peephole) {
      const V sum = x[g] + s[g];
      return activateF(u, u.seesCellState ? fma(u.peephole[peephole], u.c, sum) : sum);
    };
    const V i = gate(0, 0);
    const V f = functions.inputForget ? V::set(1.0f) - i : gate(1, 1);
    u.c = lstmCellState(i, f, activateG(u, x[2] + s[2]), u.c);
    return gate(3, 2) * activate(functions.h, functions.clip, u.c);
  }
};
struct LstmGeneral : LstmPeepholeGeneral {
  static constexpr CellKind kind = CellKind::lstmGeneral;
  static constexpr bool hasPeepholes = false;
};

} // namespace
