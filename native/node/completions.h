// What belongs to a thread rather than to one object, as a function: the step of a live stream, and the results of
// calls on the pool, taken out of the book, or called off where they have not begun.
#pragma once
#include "../rnn/stream.h"
#include "weights_ref.h"
#include <cstring>

namespace native_rnn {

class CallsFunction final : public Bound {
public:
  enum Op : int32_t { opStep, opTakeArena, opTake, opDrop, opCancel };
  using Bound::Bound;

  napi_value call(napi_callback_info info) {
    const size_t slot = edge.number(placeSlot);
    if (edge.header[placeOp] == opStep) {
      const LiveStream* const stream = edge.streams.find(slot);
      if (!stream || !stream->core)
        wrong("use after dispose()");
      stream->core->step(stream->input, stream->output);
      return nullptr;
    }
    const int32_t op = edge.takeOp();
    switch (op) {
    case opTakeArena: {
      const CallLengths lengths = lengthsOf(edge.ended(slot));
      Cutter cutter(edge.arena, edge.arenaFloats);
      float *y = cutter.cut(lengths.y), *hn = cutter.cut(lengths.h), *cn = cutter.cut(lengths.c);
      copyOut(slot, lengths, y, hn, cn);
      return nullptr;
    }
    case opTake: {
      const CallLengths lengths = lengthsOf(edge.ended(slot));
      const Arguments<3> given(edge.env, info);
      float* const y = lengths.y ? floats(edge.env, given[0], lengths.y) : nullptr;
      float* const hn = floats(edge.env, given[1], lengths.h);
      float* const cn = lengths.c ? floats(edge.env, given[2], lengths.c) : nullptr;
      copyOut(slot, lengths, y, hn, cn);
      return nullptr;
    }
    case opDrop:
      edge.remove(slot);
      return nullptr;
    case opCancel:
      edge.header[placeSlot] = edge.cancel(slot);
      return nullptr;
    default:
      wrong("no such operation");
    }
  }

private:
  static CallLengths lengthsOf(const PoolCall& call) {
    if (call.outcome != PoolCall::Outcome::done)
      wrong("the call has no result");
    CallLengths lengths = callLengths(call.model.stack.spec(), call.arrays.T, call.arrays.B);
    if (!call.arrays.y)
      lengths.y = 0;
    return lengths;
  }
  void copyOut(size_t slot, const CallLengths& lengths, float* y, float* hn, float* cn) {
    const std::unique_ptr<PoolCall> call = edge.remove(slot);
    if (lengths.y)
      std::memcpy(y, call->arrays.y, lengths.y * sizeof(float));
    if (lengths.h)
      std::memcpy(hn, call->arrays.hn, lengths.h * sizeof(float));
    if (lengths.c)
      std::memcpy(cn, call->arrays.cn, lengths.c * sizeof(float));
  }
};

} // namespace native_rnn
