// Where calls end: pool threads put what has ended here, one thread takes it out.
#pragma once
#include "../platform/thread.h"

namespace native_rnn {

class AsyncCall;

class CompletionQueue {
public:
  // `notify(argument)` runs on a pool thread when something comes into the empty queue.
  CompletionQueue(void (*notify)(void*), void* argument) : notify_(notify), argument_(argument) {}
  void put(AsyncCall&);
  // Everything that has ended since, oldest first, linked by `AsyncCall::next`.
  AsyncCall* take();
  // No notice is given from now on; when this returns, none is being given.
  void mute();
  // After mute(): as take(), but waits until there is something.
  AsyncCall* wait();

private:
  AsyncCall* takeLocked();

  Mutex mutex_;
  Condition muted_; // signalled in place of a notice
  void (*notify_)(void*);
  void* argument_;
  AsyncCall *first_ = nullptr, *last_ = nullptr;
};

} // namespace native_rnn
