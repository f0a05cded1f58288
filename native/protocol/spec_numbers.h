// A network's specification as seven numbers, and what each may be.
#pragma once
#include "../spec/network_spec.h"
#include "checks.h"

namespace native_rnn {

enum class SpecField : int32_t { cell, direction, inputSize, hiddenSize, projSize, numLayers, bias };
constexpr size_t specFields = static_cast<size_t>(SpecField::bias) + 1;

constexpr size_t largestSize = size_t{1} << 20, mostLayers = 64;

// NaN stands for what is no number.
inline NetworkSpec specFromNumbers(const double (&numbers)[specFields]) {
  const auto at = [&](SpecField field, size_t least, size_t most) {
    return wholeNumber(numbers[static_cast<size_t>(field)], least, most);
  };
  NetworkSpec spec{};
  spec.cell = static_cast<CellKind>(at(SpecField::cell, 0, cellKinds - 1));
  spec.direction = static_cast<Direction>(at(SpecField::direction, 0, size_t(Direction::bidirectional)));
  spec.inputSize = at(SpecField::inputSize, 1, largestSize);
  spec.hiddenSize = at(SpecField::hiddenSize, 1, largestSize);
  spec.projSize = at(SpecField::projSize, 0, largestSize);
  spec.numLayers = at(SpecField::numLayers, 1, mostLayers);
  spec.bias = at(SpecField::bias, 0, 1) == 1;
  return spec;
}

} // namespace native_rnn
