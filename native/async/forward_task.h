// A forward call of a network on the pool, on arrays of its own. Knows no Node.
#pragma once
#include "async_call.h"
#include "call_memory.h"
#include "counted_network.h"

namespace native_rnn {

class ForwardTask : public AsyncCall {
public:
  ForwardTask(CompletionQueue& completions, CountedNetwork& counted, size_t floats)
      : AsyncCall(completions), counted(counted), buffer(floats, &counted) {}

  CountedNetwork& counted;
  CallMemory buffer; // of its arrays
  ForwardCall arrays{};
  bool writesOutside = false; // its results lie elsewhere, so that once it has run its memory is free for others

protected:
  Outcome work(Scratch& scratch, const std::atomic<bool>& cancelled) final {
    buffer.provideNext();
    arrays.cancelled = &cancelled;
    return counted.network.forward(arrays, scratch) ? Outcome::done : Outcome::cancelled;
  }
  void release() final {
    if (writesOutside)
      buffer.release();
  }
};

} // namespace native_rnn
