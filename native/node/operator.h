// An operator as a function: without an operation it runs on rows in the arena.
#pragma once
#include "../ops/operators.h"
#include "bound_object.h"
#include "weights_ref.h"

namespace native_rnn {

class OperatorFunction final : public BoundObject {
public:
  // `bytes` bytes of packed weights, in memory that the function holds.
  OperatorFunction(Environment& environment, std::unique_ptr<Operator> core, float* memory, size_t bytes)
      : BoundObject(environment), memory_(memory), bytes_(bytes), core_(std::move(core)) {
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
    const size_t inputs = core_->inputFloats(rows), outputs = core_->outputFloats(rows);
    switch (op) {
    case OperatorOp::runArena: {
      ArenaCursor arena = environment.arena();
      const float* const x = arena.take(inputs);
      core_->run(x, rows, arena.take(outputs), *environment.scratch);
      return nullptr;
    }
    case OperatorOp::run: {
      const Arguments<2> given(environment.env, info); // x, y
      const float* const x = floats(environment.env, given[0], inputs);
      core_->run(x, rows, floats(environment.env, given[1], outputs), *environment.scratch);
      environment.trimScratch();
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

  float* const memory_;
  size_t bytes_;
  std::unique_ptr<Operator> core_;
};

} // namespace native_rnn
