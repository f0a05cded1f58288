// A linear layer as a function: without an operation it multiplies rows in the arena.
#pragma once
#include "../ops/linear.h"
#include "weights_ref.h"

namespace native_rnn {

class LinearFunction final : public Bound {
public:
  enum Op : int32_t { opForwardArena, opForward, opDispose };

  LinearFunction(Edge& edge, size_t in, size_t out, const Kernels& kernels, float* memory, size_t bytes)
      : Bound(edge), in_(in), out_(out), memory_(memory), bytes_(bytes), core_(new Linear(in, out, kernels, memory)) {
    edge.adjust(static_cast<int64_t>(bytes_));
    charge(emptiedCost(bytes_));
  }
  ~LinearFunction() override { edge.adjust(-static_cast<int64_t>(bytes_)); }
  void pack(const float* weight, const float* bias) { core_->pack(weight, bias); }

  napi_value call(napi_callback_info info) {
    const int32_t op = edge.takeOp();
    if (!core_ && op != opDispose)
      wrong("use after dispose()");
    const size_t rows = edge.number(placeB);
    switch (op) {
    case opForwardArena: {
      Cutter cutter(edge.arena, edge.arenaFloats);
      const float* const x = cutter.cut(times(rows, in_));
      core_->forward(x, rows, cutter.cut(times(rows, out_)), *edge.scratch);
      return nullptr;
    }
    case opForward: {
      const Arguments<2> given(edge.env, info);
      const float* const x = floats(edge.env, given[0], times(rows, in_));
      core_->forward(x, rows, floats(edge.env, given[1], times(rows, out_)), *edge.scratch);
      edge.trimScratch();
      return nullptr;
    }
    case opDispose:
      dispose();
      return nullptr;
    default:
      wrong("no such operation");
    }
  }

private:
  void dispose() {
    if (!core_)
      return;
    core_.reset();
    discard(memory_, bytes_);
    edge.adjust(-static_cast<int64_t>(bytes_));
    bytes_ = 0;
  }

  const size_t in_, out_;
  float* const memory_;
  size_t bytes_;
  std::unique_ptr<Linear> core_;
};

} // namespace native_rnn
