// A linear layer as a function: without an operation it multiplies rows in the arena.
#pragma once
#include "../ops/linear.h"
#include "bound_object.h"
#include "weights_ref.h"

namespace native_rnn {

class LinearFunction final : public BoundObject {
public:
  LinearFunction(Environment& environment, size_t in, size_t out, const Kernels& kernels, float* memory, size_t bytes,
                 MemoryRef ref)
      : BoundObject(environment), in_(in), out_(out), memory_(memory), ref_(std::move(ref)), bytes_(bytes),
        core_(new Linear(in, out, kernels, memory)) {
    environment.adjust(static_cast<int64_t>(bytes_));
    charge(emptiedCost(bytes_));
  }
  ~LinearFunction() override { dispose(); }
  void pack(const float* weight, const float* bias) { core_->pack(weight, bias); }

  napi_value call(napi_callback_info info) {
    const LinearOp op = environment.header.takeOp<LinearOp>();
    if (!core_ && op != LinearOp::dispose)
      throwInvalid("use after dispose()");
    const size_t rows = environment.header.size(HeaderField::B);
    switch (op) {
    case LinearOp::forwardArena: {
      ArenaCursor arena = environment.arena();
      const float* const x = arena.take(checkedProduct(rows, in_));
      core_->forward(x, rows, arena.take(checkedProduct(rows, out_)), *environment.scratch);
      return nullptr;
    }
    case LinearOp::forward: {
      const Arguments<2> given(environment.env, info); // x, y
      const float* const x = floats(environment.env, given[0], checkedProduct(rows, in_));
      core_->forward(x, rows, floats(environment.env, given[1], checkedProduct(rows, out_)), *environment.scratch);
      environment.trimScratch();
      return nullptr;
    }
    case LinearOp::dispose:
      dispose();
      return nullptr;
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

  const size_t in_, out_;
  float* const memory_;
  const MemoryRef ref_;
  size_t bytes_;
  std::unique_ptr<Linear> core_;
};

} // namespace native_rnn
