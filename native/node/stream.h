// A live stream as a function, for all that is not a step; it steps by its slot (calls.h) over the arena that both
// sides see.
#pragma once
#include "../rnn/stream.h"
#include "weights_ref.h"

namespace native_rnn {

class StreamFunction final : public BoundObject {
public:
  enum Op : int32_t { opRun, opReadState, opWriteState, opDispose };

  StreamFunction(Environment& environment, const WeightsRef& weights, size_t B, float* input, float* output)
      : BoundObject(environment), weights_(weights), B_(B), core_(new Stream(weights->network, B)),
        slot_(environment.streams.next()) {
    environment.streams.put({core_.get(), input, output});
    environment.adjust(bytes_ = static_cast<int64_t>(core_->bytes()));
    charge((B * (weights->network.spec().inputSize + weights->network.spec().outputSize())) * sizeof(float));
  }
  ~StreamFunction() override { close(); }
  size_t slot() const { return slot_; }

  napi_value call(napi_callback_info info) {
    const int32_t op = environment.takeOp();
    if (op == opDispose) {
      close();
      weights_.dispose();
      return nullptr;
    }
    if (!core_)
      throwInvalid("use after dispose()");
    const NetworkSpec& spec = weights_->network.spec();
    const CallLengths lengths = callLengths(spec, environment.number(fieldT), B_);
    const Arguments<2> given(environment.env, info);
    switch (op) {
    case opRun: {
      const float* const x = floats(environment.env, given[0], lengths.x);
      float* const y = floats(environment.env, given[1], lengths.y);
      core_->run(x, environment.number(fieldT), y);
      return nullptr;
    }
    case opReadState: {
      float* const h = floats(environment.env, given[0], lengths.h);
      core_->readState(h, lengths.c ? floats(environment.env, given[1], lengths.c) : nullptr);
      return nullptr;
    }
    case opWriteState: {
      const float* const h =
          isUndefined(environment.env, given[0]) ? nullptr : floats(environment.env, given[0], lengths.h);
      const float* const c =
          isUndefined(environment.env, given[1]) ? nullptr : floats(environment.env, given[1], lengths.c);
      core_->writeState(h, c);
      return nullptr;
    }
    default:
      throwInvalid("no such operation");
    }
  }

private:
  void close() {
    if (!core_)
      return;
    environment.streams.take(slot_);
    core_.reset();
    environment.adjust(-bytes_);
  }

  WeightsRef weights_; // before the core, which ends first
  size_t B_;
  std::unique_ptr<Stream> core_;
  size_t slot_;
  int64_t bytes_ = 0;
};

} // namespace native_rnn
