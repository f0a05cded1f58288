// In what weights and activations are kept, as numbers.
#pragma once
#include "../spec/weight_type.h"
#include "checks.h"

namespace native_rnn {

// Of two numbers: weights, activations.
inline Precision precisionFromNumbers(double weights, double activations) {
  const Precision precision{static_cast<WeightType>(wholeNumber(weights, 0, publicWeightTypes - 1)),
                            static_cast<ActivationType>(wholeNumber(activations, 0, activationTypes - 1))};
  if (!precision.isPossible())
    throwInvalid("a number is out of range");
  return precision;
}

} // namespace native_rnn
