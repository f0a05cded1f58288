// A live stream as a function, for all that is not a step; it steps by its slot (calls.h) over the arena that both
// sides see.
#pragma once
#include "../rnn/stream.h"
#include "weights_ref.h"

namespace native_rnn {

class StreamFunction final : public Bound {
public:
  enum Op : int32_t { opRun, opReadState, opWriteState, opDispose };

  StreamFunction(Edge& edge, const Use& use, size_t B, float* input, float* output)
      : Bound(edge), use_(use), B_(B), core_(new Stream(use->stack, B)), slot_(edge.streams.next()) {
    edge.streams.put({core_.get(), input, output});
    edge.adjust(bytes_ = static_cast<int64_t>(core_->bytes()));
    charge((B * (use->stack.spec().inputSize + use->stack.spec().outputSize())) * sizeof(float));
  }
  ~StreamFunction() override { close(); }
  size_t slot() const { return slot_; }

  napi_value call(napi_callback_info info) {
    const int32_t op = edge.takeOp();
    if (op == opDispose) {
      close();
      use_.dispose();
      return nullptr;
    }
    if (!core_)
      wrong("use after dispose()");
    const NetworkSpec& spec = use_->stack.spec();
    const CallLengths lengths = callLengths(spec, edge.number(placeT), B_);
    const Arguments<2> given(edge.env, info);
    switch (op) {
    case opRun: {
      const float* const x = floats(edge.env, given[0], lengths.x);
      float* const y = floats(edge.env, given[1], lengths.y);
      core_->run(x, edge.number(placeT), y);
      return nullptr;
    }
    case opReadState: {
      float* const h = floats(edge.env, given[0], lengths.h);
      core_->readState(h, lengths.c ? floats(edge.env, given[1], lengths.c) : nullptr);
      return nullptr;
    }
    case opWriteState: {
      const float* const h = isUndefined(edge.env, given[0]) ? nullptr : floats(edge.env, given[0], lengths.h);
      const float* const c = isUndefined(edge.env, given[1]) ? nullptr : floats(edge.env, given[1], lengths.c);
      core_->writeState(h, c);
      return nullptr;
    }
    default:
      wrong("no such operation");
    }
  }

private:
  void close() {
    if (!core_)
      return;
    edge.streams.take(slot_);
    core_.reset();
    edge.adjust(-bytes_);
  }

  Use use_; // before the core, which ends first
  size_t B_;
  std::unique_ptr<Stream> core_;
  size_t slot_;
  int64_t bytes_ = 0;
};

} // namespace native_rnn
