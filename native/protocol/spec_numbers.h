// A network's specification as numbers, and what each may be.
#pragma once
#include "../spec/network_spec.h"
#include "checks.h"
#include "precision_numbers.h"
#include <cfloat>
#include <cmath>

namespace native_rnn {

enum class SpecField : int32_t {
  cell,
  direction,
  inputSize,
  hiddenSize,
  projSize,
  numLayers,
  bias,
  weights,
  activations
};
constexpr size_t specFields = static_cast<size_t>(SpecField::activations) + 1;

// The numbers that follow where the cell is a general one: these, then f g h of each of two directions.
enum class FunctionsField : int32_t { clip, inputForget };
constexpr size_t functionsFields = static_cast<size_t>(FunctionsField::inputForget) + 1;
enum class FunctionField : int32_t { name, alpha, beta };
constexpr size_t functionFields = static_cast<size_t>(FunctionField::beta) + 1;
constexpr size_t specNumbers = specFields + functionsFields + 2 * 3 * functionFields;

constexpr size_t largestSize = size_t{1} << 20, mostLayers = 64;

inline float finiteFloat(double number) {
  if (!(std::fabs(number) <= static_cast<double>(FLT_MAX)))
    throwInvalid("a number is out of range");
  return static_cast<float>(number);
}

inline Activation activationFromNumbers(const double* numbers) {
  const auto at = [&](FunctionField field) { return numbers[static_cast<size_t>(field)]; };
  return {static_cast<ActivationKind>(wholeNumber(at(FunctionField::name), 0, activationKinds - 1)),
          finiteFloat(at(FunctionField::alpha)), finiteFloat(at(FunctionField::beta))};
}

inline CellFunctions functionsFromNumbers(const double* numbers, size_t direction) {
  const double clip = numbers[static_cast<size_t>(FunctionsField::clip)];
  if (!(clip > 0))
    throwInvalid("a number is out of range");
  const double* const own = numbers + functionsFields + direction * 3 * functionFields;
  CellFunctions functions;
  functions.f = activationFromNumbers(own);
  functions.g = activationFromNumbers(own + functionFields);
  functions.h = activationFromNumbers(own + 2 * functionFields);
  functions.clip = clip > static_cast<double>(FLT_MAX) ? INFINITY : static_cast<float>(clip);
  functions.inputForget = wholeNumber(numbers[static_cast<size_t>(FunctionsField::inputForget)], 0, 1) == 1;
  return functions;
}

// NaN stands for what is no number; what follows the fields of a cell with built-in functions is not looked at.
inline NetworkSpec specFromNumbers(const double (&numbers)[specNumbers]) {
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
  spec.precision = precisionFromNumbers(numbers[static_cast<size_t>(SpecField::weights)],
                                        numbers[static_cast<size_t>(SpecField::activations)]);
  for (size_t d = 0; d < 2 && spec.traits().general; d++)
    spec.functions[d] = functionsFromNumbers(numbers + specFields, d);
  return spec;
}

} // namespace native_rnn
