// The cells whose functions are given beside them: all that ONNX's RNN, GRU and LSTM can ask for. The fast cells have
// theirs built in; here a switch picks one for each vector.
#pragma once
#include "../../simd/map_functions.h"
#include "../../simd/vec_pair.h"
#include "gru.h"
#include "lstm.h"

namespace {

// A function of its own: five copies of it in each cell would be most of their code.
template <class V>
RNN_NOINLINE V activateVector(const Activation& a, float clip, V x) {
  const V alpha = V::set(a.alpha), beta = V::set(a.beta);
  x = min(V::set(clip), max(V::set(-clip), x)); // NaN stays NaN
  switch (a.kind) {
  case ActivationKind::tanh:
    return mapped<MapFunction::tanh>(x, alpha, beta);
  case ActivationKind::sigmoid:
    return mapped<MapFunction::sigmoid>(x, alpha, beta);
  case ActivationKind::relu:
    return mapped<MapFunction::relu>(x, alpha, beta);
  case ActivationKind::affine:
    return mapped<MapFunction::affine>(x, alpha, beta);
  case ActivationKind::leakyRelu:
    return mapped<MapFunction::leakyRelu>(x, alpha, beta);
  case ActivationKind::thresholdedRelu:
    return mapped<MapFunction::thresholdedRelu>(x, alpha, beta);
  case ActivationKind::scaledTanh:
    return mapped<MapFunction::scaledTanh>(x, alpha, beta);
  case ActivationKind::hardSigmoid:
    return mapped<MapFunction::hardSigmoid>(x, alpha, beta);
  case ActivationKind::elu:
    return mapped<MapFunction::elu>(x, alpha, beta);
  case ActivationKind::softsign:
    return mapped<MapFunction::softsign>(x, alpha, beta);
  case ActivationKind::softplus:
    return mapped<MapFunction::softplus>(x, alpha, beta);
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
    u.c = fma(f, u.c, i * activateG(u, x[2] + s[2]));
    return gate(3, 2) * activate(functions.h, functions.clip, u.c);
  }
};
struct LstmGeneral : LstmPeepholeGeneral {
  static constexpr CellKind kind = CellKind::lstmGeneral;
  static constexpr bool hasPeepholes = false;
};

} // namespace
