// A forward call that a pool thread makes, on arrays of its own. Knows no Node.
#pragma once
#include "../protocol/fields.h"
#include "../threading/pool.h"
#include "completion_queue.h"
#include "counted_network.h"

namespace native_rnn {

class AsyncCall : public Task {
public:
  AsyncCall(CompletionQueue& completions, CountedNetwork& counted, size_t floats)
      : counted(counted), buffer(floats), completions_(completions) {}
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
  const FloatBuffer buffer; // of all its arrays
  ForwardCall arrays{};
  Outcome outcome = Outcome::cancelled;
  size_t slot = 0;    // its number among the pending calls of the thread that made it
  bool ended = false; // that thread has taken it out of the completion queue
  AsyncCall* next = nullptr;

private:
  CompletionQueue& completions_;
  std::atomic<bool> cancelled_{false};
};

} // namespace native_rnn
