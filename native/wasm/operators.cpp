// Operators: rows in, rows out, over packed weights in the module's own memory.
#include "../ops/operators.h"
#include "../platform/failures.h"
#include "../protocol/precision_numbers.h"
#include "instance.h"

using namespace native_rnn;

namespace {

struct OwnOperator {
  ~OwnOperator() { release(memory); }
  std::unique_ptr<Operator> core;
  void* memory = nullptr;
};

constexpr size_t mostSizes = 8;

struct Wanted {
  const OperatorType& type;
  size_t sizes[mostSizes];
  Precision precision;
};

// The operator's number, its sizes, and the numbers of its precision.
Wanted wantedAt(const double* numbers) {
  const OperatorType& type = operatorType(static_cast<OperatorKind>(wholeNumber(numbers[0], 0, operatorKinds - 1)));
  Wanted wanted{type, {}, precisionFromNumbers(numbers[1 + type.sizes], numbers[2 + type.sizes])};
  double product = 4 * double(instance().kernels->lanes);
  for (size_t i = 0; i < type.sizes; i++) {
    wanted.sizes[i] = wholeNumber(numbers[1 + i], 1, size_t{1} << 20);
    product *= double(wanted.sizes[i]) + 16;
  }
  if (product > 2 * mostBytes)
    failOutOfMemory();
  return wanted;
}

} // namespace

RNN_EXPORT(operatorBytes)(const double* numbers)->size_t {
  const Wanted wanted = wantedAt(numbers);
  return wanted.type.packedBytes(wanted.sizes, wanted.precision, *instance().kernels);
}
// With weights yet to come; null where there is no memory.
RNN_EXPORT(operatorNew)(const double* numbers)->OwnOperator* {
  const Wanted wanted = wantedAt(numbers);
  const Kernels& kernels = *instance().kernels;
  void* const memory = native_rnn::allocate(double(wanted.type.packedBytes(wanted.sizes, wanted.precision, kernels)));
  if (!memory || !hasHeadroom()) {
    native_rnn::release(memory);
    return nullptr;
  }
  auto* const own = new OwnOperator;
  own->memory = memory;
  own->core = wanted.type.make(wanted.sizes, wanted.precision, kernels, memory);
  return own;
}
// `list`: plain arrays, null where one is left out.
RNN_EXPORT(operatorPack)(OwnOperator* own, const float* const* list)->void { own->core->pack(list); }
// The same arrays again, with the weights as they are kept.
RNN_EXPORT(operatorUnpack)(const OwnOperator* own, float* const* list)->void { own->core->unpack(list); }
RNN_EXPORT(operatorRun)(const OwnOperator* own, const float* x, size_t rows, float* y)->void {
  own->core->run(x, rows, y, instance().scratch);
  trimScratch();
}
RNN_EXPORT(operatorMemory)(const OwnOperator* own)->void* { return own->memory; }
RNN_EXPORT(operatorFree)(OwnOperator* own)->void { delete own; }
