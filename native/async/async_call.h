// A forward call that a pool thread makes, on arrays of its own. Knows no Node.
#pragma once
#include "../protocol/fields.h"
#include "../threading/pool.h"
#include "call_memory.h"
#include "completion_queue.h"
#include "counted_network.h"

namespace native_rnn {

class AsyncCall : public Task {
public:
  AsyncCall(CompletionQueue& completions, CountedNetwork& counted, size_t floats)
      : counted(counted), buffer(floats, &counted), completions_(completions) {}
  virtual ~AsyncCall() = default;
  void run() noexcept final;
  // A call that waits never runs, one that runs stops at its next time step.
  void cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  // Before it is queued again.
  void reuse() {
    cancelled_.store(false, std::memory_order_relaxed);
    outcome = Outcome::cancelled;
    ended = false;
  }

  CountedNetwork& counted;
  CallMemory buffer; // of its arrays
  ForwardCall arrays{};
  bool writesOutside = false; // its results lie elsewhere, so that once it has run its memory is free for others
  Outcome outcome = Outcome::cancelled;
  size_t slot = 0;    // its number among the pending calls of the thread that made it
  bool ended = false; // that thread has taken it out of the completion queue
  AsyncCall* next = nullptr;

private:
  CompletionQueue& completions_;
  std::atomic<bool> cancelled_{false};
};

} // namespace native_rnn
