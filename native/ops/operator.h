// What an operator is: a layer without a state, rows in, rows out, over packed weights. Knows no operator.
#pragma once
#include "../kernels/kernels.h"
#include "../platform/memory.h"
#include "../spec/operator_kind.h"
#include "../spec/weight_type.h"
#include <memory>

namespace native_rnn {

// Immutable after pack(); any number of threads may run it at once, each with its own Scratch.
class Operator {
public:
  Operator() = default;
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;
  virtual ~Operator() = default;
  // Plain arrays, as many as OperatorType::weights; null where one is left out.
  virtual void pack(const float* const* weights) = 0;
  // The same arrays again, with the weights as they are kept; null where one is not wanted.
  virtual void unpack(float* const* weights) const = 0;
  // Floats of x and of y for so many rows of input.
  virtual size_t inputFloats(size_t rows) const = 0;
  virtual size_t outputFloats(size_t rows) const = 0;
  // Throws std::bad_alloc before anything is written.
  virtual void run(const float* x, size_t rows, float* y, Scratch&) const = 0;
};

// What must be known of an operator before there is one. `sizes` are as many as it says, each from 1 to 2^20.
struct OperatorType {
  size_t sizes, weights;
  size_t (*weightLength)(const size_t* sizes, size_t index); // floats of a plain array
  size_t (*packedBytes)(const size_t* sizes, Precision, const Kernels&);
  // `memory`: packedBytes bytes, 64-byte aligned, that outlive the operator.
  std::unique_ptr<Operator> (*make)(const size_t* sizes, Precision, const Kernels&, void* memory);
};

// The type of a class of operators that has these as its own.
template <class Op>
constexpr OperatorType operatorTypeOf() {
  return {
      Op::sizeCount, Op::weightCount, &Op::weightLength, &Op::packedBytes,
      [](const size_t* sizes, Precision precision, const Kernels& kernels, void* memory) -> std::unique_ptr<Operator> {
        return std::make_unique<Op>(sizes, precision, kernels, memory);
      }};
}

} // namespace native_rnn
