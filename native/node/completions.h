// What belongs to a thread rather than to one object, as a function: the step of a live stream, and the results of
// calls on the pool, taken out of the book, or called off where they have not begun.
#pragma once
#include "../rnn/stream.h"
#include "weights_ref.h"
#include <cstring>

namespace native_rnn {

class CallsFunction final : public BoundObject {
public:
  enum Op : int32_t { opStep, opTakeArena, opTake, opDrop, opCancel };
  using BoundObject::BoundObject;

  napi_value call(napi_callback_info info) {
    const size_t slot = environment.number(fieldSlot);
    if (environment.header[fieldOp] == opStep) {
      const LiveStream* const stream = environment.streams.find(slot);
      if (!stream || !stream->core)
        throwInvalid("use after dispose()");
      stream->core->step(stream->input, stream->output);
      return nullptr;
    }
    const int32_t op = environment.takeOp();
    switch (op) {
    case opTakeArena: {
      const CallLengths lengths = lengthsOf(environment.ended(slot));
      ArenaCursor cursor(environment.arena, environment.arenaFloats);
      float *y = cursor.take(lengths.y), *hn = cursor.take(lengths.h), *cn = cursor.take(lengths.c);
      copyOut(slot, lengths, y, hn, cn);
      return nullptr;
    }
    case opTake: {
      const CallLengths lengths = lengthsOf(environment.ended(slot));
      const Arguments<3> given(environment.env, info);
      float* const y = lengths.y ? floats(environment.env, given[0], lengths.y) : nullptr;
      float* const hn = floats(environment.env, given[1], lengths.h);
      float* const cn = lengths.c ? floats(environment.env, given[2], lengths.c) : nullptr;
      copyOut(slot, lengths, y, hn, cn);
      return nullptr;
    }
    case opDrop:
      environment.remove(slot);
      return nullptr;
    case opCancel:
      environment.header[fieldSlot] = environment.cancel(slot);
      return nullptr;
    default:
      throwInvalid("no such operation");
    }
  }

private:
  static CallLengths lengthsOf(const AsyncCall& call) {
    if (call.outcome != AsyncCall::Outcome::done)
      throwInvalid("the call has no result");
    CallLengths lengths = callLengths(call.counted.network.spec(), call.arrays.T, call.arrays.B);
    if (!call.arrays.y)
      lengths.y = 0;
    return lengths;
  }
  void copyOut(size_t slot, const CallLengths& lengths, float* y, float* hn, float* cn) {
    const std::unique_ptr<AsyncCall> call = environment.remove(slot);
    if (lengths.y)
      std::memcpy(y, call->arrays.y, lengths.y * sizeof(float));
    if (lengths.h)
      std::memcpy(hn, call->arrays.hn, lengths.h * sizeof(float));
    if (lengths.c)
      std::memcpy(cn, call->arrays.cn, lengths.c * sizeof(float));
  }
};

} // namespace native_rnn
