// What runs on a network's weights: the shared stack itself, and calls that a pool thread makes. Knows no Node.
#pragma once
#include "../rnn/network.h"
#include "../threading/pool.h"

namespace native_rnn {

// A stack and the count of those who use it: the layer, its streams, its batches, its running calls. One thread counts.
class CountedNetwork {
public:
  CountedNetwork(const NetworkSpec& spec, const Kernels& kernels, float* memory, size_t threads)
      : network(spec, kernels, memory), threads(threads) {}
  CountedNetwork(const CountedNetwork&) = delete;
  CountedNetwork& operator=(const CountedNetwork&) = delete;
  void retain() { users_++; }
  // True when that was the last user; the caller then deletes it.
  bool release() { return --users_ == 0; }

  Network network;
  const size_t threads;

private:
  size_t users_ = 1;
};

// The lengths of all arrays of one forward call.
struct CallLengths {
  size_t x, h, c, y; // c: 0 where the cell has no cell state
};
// Throws std::length_error where a product does not fit.
CallLengths callLengths(const NetworkSpec&, size_t T, size_t B);
class AsyncCall;

// Where calls end: pool threads put what is finished here, one thread takes it out. `notify` runs on a pool thread when
// there is something new after the box was empty.
class CompletionQueue {
public:
  explicit CompletionQueue(void (*notify)(void*), void* argument) : notify_(notify), argument_(argument) {}
  void put(AsyncCall&);
  // Everything that has ended since, oldest first, linked by `PoolCall::next`.
  AsyncCall* take();
  // No notice is given from now on; when this returns, none is being given.
  void mute();
  // After mute(): as take(), but waits until there is something.
  AsyncCall* wait();

private:
  Mutex mutex_;
  Condition muted_;
  void (*notify_)(void*);
  void* argument_;
  AsyncCall *first_ = nullptr, *last_ = nullptr;
};

// A call that a pool thread makes on arrays of its own.
class AsyncCall : public Task {
public:
  enum class Outcome : int32_t { done = 0, cancelled = 1, outOfMemory = 2 };
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
  const FloatBuffer buffer;
  ForwardCall arrays{};
  Outcome outcome = Outcome::cancelled;
  size_t slot = 0;    // its number in the book of the thread that made it
  bool ended = false; // that thread has taken it out of the inbox
  AsyncCall* next = nullptr;

private:
  CompletionQueue& completions_;
  std::atomic<bool> cancelled_{false};
};

} // namespace native_rnn
