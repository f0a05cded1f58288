// What runs on a network's weights: the shared stack itself, and calls that a pool thread makes. Knows no Node.
#pragma once
#include "../threading/pool.h"
#include "../rnn/network.h"
#include <cstdlib>
#include <new>

namespace native_rnn {

// A stack and the count of those who use it: the layer, its streams, its batches, its running calls. One thread counts.
class Model {
public:
  Model(const NetworkSpec& spec, const Kernels& kernels, float* memory, size_t threads)
      : stack(spec, kernels, memory), threads(threads) {}
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  void retain() { users_++; }
  // True when that was the last user; the caller then deletes it.
  bool release() { return --users_ == 0; }

  Stack stack;
  const size_t threads;

private:
  size_t users_ = 1;
};

// a · b; throws std::length_error where no memory could hold so many floats.
size_t times(size_t a, size_t b);

// The lengths of all arrays of one forward call.
struct CallLengths {
  size_t x, h, c, y; // c: 0 where the cell has no cell state
};
// Throws std::length_error where a product does not fit.
CallLengths callLengths(const NetworkSpec&, size_t T, size_t B);
inline bool hasCellState(CellKind cell) { return cell == CellKind::lstm || cell == CellKind::lstmPeephole; }

// Gives the whole pages of this memory back to the system while the memory itself stays allocated; its content is lost.
void discard(void* memory, size_t bytes);

// Floats that belong to one object; uninitialised.
class Buffer {
public:
  Buffer() = default;
  explicit Buffer(size_t floats)
      : size_(floats), data_(static_cast<float*>(std::malloc((floats ? floats : 1) * sizeof(float)))) {
    if (!data_)
      throw std::bad_alloc();
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { std::free(data_); }
  float* data() const { return data_; }
  size_t size() const { return size_; }

private:
  size_t size_ = 0;
  float* data_ = nullptr;
};

class PoolCall;

// Where calls end: pool threads put what is finished here, one thread takes it out. `notify` runs on a pool thread when
// there is something new after the box was empty.
class Inbox {
public:
  explicit Inbox(void (*notify)(void*), void* argument) : notify_(notify), argument_(argument) {}
  void put(PoolCall&);
  // Everything that has ended since, oldest first, linked by `PoolCall::next`.
  PoolCall* take();
  // No notice is given from now on; when this returns, none is being given.
  void mute();
  // After mute(): as take(), but waits until there is something.
  PoolCall* wait();

private:
  Mutex mutex_;
  Condition muted_;
  void (*notify_)(void*);
  void* argument_;
  PoolCall *first_ = nullptr, *last_ = nullptr;
};

// A call that a pool thread makes on arrays of its own.
class PoolCall : public Job {
public:
  enum class Outcome : int32_t { done = 0, cancelled = 1, outOfMemory = 2 };
  PoolCall(Inbox& inbox, Model& model, size_t floats) : model(model), buffer(floats), inbox_(inbox) {}
  virtual ~PoolCall() = default;
  void run() noexcept final;
  // A call that waits never runs, one that runs stops at its next time step.
  void cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  // Before it is queued again.
  void reuse() {
    cancelled_.store(false, std::memory_order_relaxed);
    outcome = Outcome::cancelled;
    ended = false;
  }

  Model& model;
  const Buffer buffer;
  ForwardCall arrays{};
  Outcome outcome = Outcome::cancelled;
  size_t slot = 0;    // its number in the book of the thread that made it
  bool ended = false; // that thread has taken it out of the inbox
  PoolCall* next = nullptr;

private:
  Inbox& inbox_;
  std::atomic<bool> cancelled_{false};
};

} // namespace native_rnn
