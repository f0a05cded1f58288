// A live stream as a function, for all that is not a step; it steps by its slot (completions.h), over an input and an
// output that both sides see.
#pragma once
#include "../rnn/stream.h"
#include "bound_object.h"
#include "weights_ref.h"

namespace native_rnn {

class StreamFunction final : public BoundObject {
public:
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
    const StreamOp op = environment.header.takeOp<StreamOp>();
    if (op == StreamOp::dispose) {
      close();
      weights_.dispose();
      return nullptr;
    }
    if (!core_)
      throwInvalid("use after dispose()");
    const napi_env env = environment.env;
    const size_t T = environment.header.size(HeaderField::T);
    const CallLengths lengths = callLengths(weights_->network.spec(), T, B_);
    const Arguments<2> given(env, info); // x, y or h, c
    switch (op) {
    case StreamOp::run: {
      const float* const x = floats(env, given[0], lengths.x);
      core_->run(x, T, floats(env, given[1], lengths.y));
      return nullptr;
    }
    case StreamOp::readState: {
      float* const h = floats(env, given[0], lengths.h);
      core_->readState(h, lengths.c ? floats(env, given[1], lengths.c) : nullptr);
      return nullptr;
    }
    case StreamOp::writeState: {
      const float* const h = isUndefined(env, given[0]) ? nullptr : floats(env, given[0], lengths.h);
      const float* const c = isUndefined(env, given[1]) ? nullptr : floats(env, given[1], lengths.c);
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
  const size_t B_;
  std::unique_ptr<Stream> core_;
  size_t slot_;
  int64_t bytes_ = 0; // that the core holds
};

} // namespace native_rnn
