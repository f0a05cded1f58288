// A call that a pool thread makes beside the thread that asked for it. Knows no Node, and not what is computed.
#pragma once
#include "../platform/memory.h"
#include "../protocol/fields.h"
#include "../threading/pool.h"
#include "completion_queue.h"

namespace native_rnn {

class AsyncCall : public Task {
public:
  explicit AsyncCall(CompletionQueue& completions) : completions_(completions) {}
  virtual ~AsyncCall() = default;
  void run() noexcept final;
  // A call that waits never runs, one that runs stops at its next time step or instruction.
  void cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  // Before it is queued again.
  void reuse() {
    cancelled_.store(false, std::memory_order_relaxed);
    outcome = Outcome::cancelled;
    ended = false;
  }

  Outcome outcome = Outcome::cancelled;
  size_t slot = 0;    // its number among the pending calls of the thread that made it
  bool ended = false; // that thread has taken it out of the completion queue
  AsyncCall* next = nullptr;

protected:
  // On a pool thread. Throws std::bad_alloc alone.
  virtual Outcome work(Scratch&, const std::atomic<bool>& cancelled) = 0;
  // After that, or where the call was cancelled before it began.
  virtual void release() {}

private:
  CompletionQueue& completions_;
  std::atomic<bool> cancelled_{false};
};

} // namespace native_rnn
