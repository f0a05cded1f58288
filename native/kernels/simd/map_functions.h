// The functions of one number over a vector type, by their names in spec/map_function.h. All are written so that NaN
// stays NaN.
#pragma once
#include "../../spec/map_function.h"
#include "functions.h"
#include "trigonometry.h"

namespace {

using namespace native_rnn;

template <MapFunction F, class V>
RNN_INLINE V mapped(V x, V alpha, V beta) {
  const V zero = V::set(0.0f), one = V::set(1.0f);
  using Fn = MapFunction;
  if constexpr (F == Fn::tanh)
    return tanh(x);
  else if constexpr (F == Fn::sigmoid)
    return sigmoid(x);
  else if constexpr (F == Fn::relu)
    return select(x < zero, zero, x);
  else if constexpr (F == Fn::affine)
    return fma(alpha, x, beta);
  else if constexpr (F == Fn::leakyRelu)
    return select(x < zero, alpha * x, x);
  else if constexpr (F == Fn::thresholdedRelu)
    return select(x < alpha, zero, x);
  else if constexpr (F == Fn::scaledTanh)
    return alpha * tanh(beta * x);
  else if constexpr (F == Fn::hardSigmoid) {
    // Not by max: of 0 and −0 the instruction sets take different ones.
    const V y = fma(alpha, x, beta);
    return select(y < zero, zero, select(one < y, one, y));
  } else if constexpr (F == Fn::elu)
    return select(x < zero, alpha * expm1OfNegative(x), x);
  else if constexpr (F == Fn::softsign)
    return x / (one - negativeAbs(x));
  else if constexpr (F == Fn::softplus)
    return max(zero, x) + log1pOfUnit(exp(negativeAbs(x)));
  else if constexpr (F == Fn::abs)
    return abs(x);
  else if constexpr (F == Fn::neg)
    return negative(x);
  else if constexpr (F == Fn::sign)
    return select(zero < x, one, select(x < zero, negative(one), x));
  else if constexpr (F == Fn::ceil)
    return negative(floor(negative(x)));
  else if constexpr (F == Fn::floor)
    return floor(x);
  else if constexpr (F == Fn::round)
    return roundHalfEven(x);
  else if constexpr (F == Fn::sqrt)
    return sqrt(x);
  else if constexpr (F == Fn::reciprocal)
    return one / x;
  else if constexpr (F == Fn::exp)
    return exp(x);
  else if constexpr (F == Fn::log)
    return log(x);
  else if constexpr (F == Fn::erf)
    return erf(x);
  else if constexpr (F == Fn::sin)
    return sin(x);
  else if constexpr (F == Fn::cos)
    return cos(x);
  else if constexpr (F == Fn::gelu)
    return gelu(x);
  else if constexpr (F == Fn::geluTanh)
    return geluTanh(x);
  else if constexpr (F == Fn::hardSwish)
    // Not as x / 6 + 1/2, which near −3 has lost its digits.
    return x * (mapped<Fn::clip>(x + V::set(3.0f), zero, V::set(6.0f)) * V::set(0.166666672f));
  else if constexpr (F == Fn::selu)
    return beta * mapped<Fn::elu>(x, alpha, beta);
  else {
    static_assert(F == Fn::clip, "every function of floats is here");
    const V y = select(x < alpha, alpha, x);
    return select(beta < y, beta, y);
  }
}

} // namespace
