// A list under a lock. The notice is given with the lock held, so that mute() waits for it.
#include "completion_queue.h"
#include "async_call.h"

namespace native_rnn {

void CompletionQueue::put(AsyncCall& call) {
  const Guard guard(mutex_);
  call.next = nullptr;
  (last_ ? last_->next : first_) = &call;
  last_ = &call;
  if (!notify_)
    muted_.wakeOne();
  else if (first_ == &call)
    notify_(argument_);
}

AsyncCall* CompletionQueue::takeLocked() {
  AsyncCall* const calls = first_;
  first_ = last_ = nullptr;
  return calls;
}

AsyncCall* CompletionQueue::take() {
  const Guard guard(mutex_);
  return takeLocked();
}

AsyncCall* CompletionQueue::wait() {
  const Guard guard(mutex_);
  while (!first_)
    muted_.wait(mutex_);
  return takeLocked();
}

void CompletionQueue::mute() {
  const Guard guard(mutex_);
  notify_ = nullptr;
}

} // namespace native_rnn
