// An operator as a function: without an operation it runs on rows in the arena.
#pragma once
#include "../ops/operators.h"
#include "bound_object.h"
#include "weights_ref.h"

namespace native_rnn {

// What an operator is made of.
struct OperatorShape {
  const OperatorType& type;
  std::vector<size_t> sizes;

  // The arrays in a list, undefined where one is left out: all elements first, then pointers.
  std::vector<float*> readWeights(napi_env env, napi_value list) const {
    const auto values = readList<napi_value>(env, list, type.weights, [](napi_value value) { return value; });
    std::vector<float*> weights;
    for (size_t index = 0; index < values.size(); index++)
      weights.push_back(isUndefined(env, values[index])
                            ? nullptr
                            : floats(env, values[index], type.weightLength(sizes.data(), index)));
    if (!weights[0])
      throwInvalid("an array is missing or of the wrong type");
    return weights;
  }
};

class OperatorFunction final : public BoundObject {
public:
  // `bytes` bytes of packed weights, in memory that the function holds.
  OperatorFunction(Environment& environment, OperatorShape shape, std::unique_ptr<Operator> core, float* memory,
                   size_t bytes)
      : BoundObject(environment), shape_(std::move(shape)), memory_(memory), bytes_(bytes), core_(std::move(core)) {
    environment.adjust(static_cast<int64_t>(bytes_));
    charge(emptiedCost(bytes_));
  }
  ~OperatorFunction() override { environment.adjust(-static_cast<int64_t>(bytes_)); }

  napi_value call(napi_callback_info info) {
    const OperatorOp op = environment.header.takeOp<OperatorOp>();
    if (op == OperatorOp::dispose) {
      dispose();
      return nullptr;
    }
    if (!core_)
      throwInvalid("use after dispose()");
    const size_t rows = environment.header.size(HeaderField::B);
    switch (op) {
    case OperatorOp::runArena: {
      ArenaCursor arena = environment.arena();
      const float* const x = arena.take(core_->inputFloats(rows));
      core_->run(x, rows, arena.take(core_->outputFloats(rows)), *environment.scratch);
      return nullptr;
    }
    case OperatorOp::run: {
      const Arguments<2> given(environment.env, info); // x, y
      const float* const x = floats(environment.env, given[0], core_->inputFloats(rows));
      float* const y = floats(environment.env, given[1], core_->outputFloats(rows));
      core_->run(x, rows, y, *environment.scratch);
      environment.trimScratch();
      return nullptr;
    }
    case OperatorOp::weights: {
      const Arguments<1> given(environment.env, info);
      core_->unpack(shape_.readWeights(environment.env, given[0]).data());
      return nullptr;
    }
    default:
      throwInvalid("no such operation");
    }
  }

private:
  void dispose() {
    if (!core_)
      return;
    core_.reset();
    discardPages(memory_, bytes_);
    environment.adjust(-static_cast<int64_t>(bytes_));
    bytes_ = 0;
  }

  const OperatorShape shape_;
  float* const memory_;
  size_t bytes_;
  std::unique_ptr<Operator> core_;
};

} // namespace native_rnn
