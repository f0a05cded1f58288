// What belongs to a thread rather than to one object, as a function: the step of a live stream, and calls on the pool,
// whose results it hands out, or which it calls off where they have not begun.
#pragma once
#include "../async/forward_task.h"
#include "../rnn/stream.h"
#include "bound_object.h"
#include <cstring>

namespace native_rnn {

class CallsFunction final : public BoundObject {
public:
  using BoundObject::BoundObject;

  napi_value call(napi_callback_info info) {
    Header& header = environment.header;
    const size_t slot = header.size(HeaderField::slot);
    if (header.op<CallOp>() == CallOp::step) {
      const LiveStream* const stream = environment.streams.find(slot);
      if (!stream || !stream->core)
        throwInvalid("use after dispose()");
      stream->core->step(stream->input, stream->output);
      return nullptr;
    }
    switch (header.takeOp<CallOp>()) {
    case CallOp::takeArena: {
      const ForwardTask& call = done(slot);
      const CallLengths lengths = lengthsOf(call);
      ArenaCursor arena = environment.arena();
      float *y = arena.take(lengths.y), *hn = arena.take(lengths.h), *cn = arena.take(lengths.c);
      copyOut(call, lengths, y, hn, cn);
      return nullptr;
    }
    case CallOp::take: {
      const ForwardTask& call = done(slot);
      const CallLengths lengths = lengthsOf(call);
      const Arguments<3> given(environment.env, info);
      float* const y = lengths.y ? floats(environment.env, given[0], lengths.y) : nullptr;
      float* const hn = floats(environment.env, given[1], lengths.h);
      float* const cn = lengths.c ? floats(environment.env, given[2], lengths.c) : nullptr;
      copyOut(call, lengths, y, hn, cn);
      return nullptr;
    }
    case CallOp::drop:
      environment.remove(slot);
      return nullptr;
    case CallOp::cancel:
      header.answer(environment.cancel(slot));
      return nullptr;
    default:
      throwInvalid("no such operation");
    }
  }

private:
  const ForwardTask& done(size_t slot) const {
    const ForwardTask* const call = dynamic_cast<const ForwardTask*>(&environment.ended(slot));
    if (!call || call->outcome != Outcome::done || call->writesOutside)
      throwInvalid("the call has no result here");
    return *call;
  }
  static CallLengths lengthsOf(const ForwardTask& call) {
    CallLengths lengths = callLengths(call.counted.network.spec(), call.arrays.T, call.arrays.B);
    if (!call.arrays.y)
      lengths.y = 0;
    return lengths;
  }
  static void copyOut(const ForwardTask& call, const CallLengths& lengths, float* y, float* hn, float* cn) {
    if (lengths.y)
      std::memcpy(y, call.arrays.y, lengths.y * sizeof(float));
    if (lengths.h)
      std::memcpy(hn, call.arrays.hn, lengths.h * sizeof(float));
    if (lengths.c)
      std::memcpy(cn, call.arrays.cn, lengths.c * sizeof(float));
  }
};

} // namespace native_rnn
