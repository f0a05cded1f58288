// Running a call on a pool thread, with scratch memory that the threads pass on to each other.
#include "async_call.h"
#include <new>
#include <stdexcept>

namespace native_rnn {

namespace {

// Scratch of calls that have ended, for the next ones: few, and none of them large.
class ScratchPool {
public:
  Scratch* take() {
    const Guard guard(mutex_);
    return count_ ? kept_[--count_] : nullptr;
  }
  void give(Scratch* scratch) {
    if (scratch->bytes() <= mostBytes) {
      const Guard guard(mutex_);
      if (count_ < most) {
        kept_[count_++] = scratch;
        return;
      }
    }
    delete scratch;
  }

private:
  static constexpr size_t most = 16, mostBytes = size_t{8} << 20;
  Mutex mutex_;
  Scratch* kept_[most];
  size_t count_ = 0;
};

ScratchPool& scratchPool() {
  // Never destroyed: pool threads outlive every static object.
  alignas(ScratchPool) static unsigned char memory[sizeof(ScratchPool)];
  static ScratchPool* const one = new (memory) ScratchPool;
  return *one;
}

} // namespace

CallLengths callLengths(const NetworkSpec& spec, size_t T, size_t B) {
  const size_t D = spec.directions(), O = spec.outputSize(), rows = checkedProduct(spec.numLayers * D, B),
               steps = checkedProduct(T, B);
  return {checkedProduct(steps, spec.inputSize), checkedProduct(rows, O),
          spec.traits().hasCellState ? checkedProduct(rows, spec.hiddenSize) : 0, checkedProduct(steps, D * O)};
}

void AsyncCall::run() noexcept {
  Scratch* scratch = nullptr;
  try {
    if (!cancelled_.load(std::memory_order_relaxed)) {
      scratch = scratchPool().take();
      if (!scratch)
        scratch = new Scratch;
      arrays.cancelled = &cancelled_;
      outcome = counted.network.forward(arrays, *scratch) ? Outcome::done : Outcome::cancelled;
    }
  } catch (const std::exception&) {
    outcome = Outcome::outOfMemory; // the one thing that forward throws
  }
  if (scratch)
    scratchPool().give(scratch);
  completions_.put(*this);
}

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

AsyncCall* CompletionQueue::take() {
  const Guard guard(mutex_);
  AsyncCall* const calls = first_;
  first_ = last_ = nullptr;
  return calls;
}

AsyncCall* CompletionQueue::wait() {
  mutex_.lock();
  while (!first_)
    muted_.wait(mutex_);
  mutex_.unlock();
  return take();
}

void CompletionQueue::mute() {
  const Guard guard(mutex_);
  notify_ = nullptr;
}

} // namespace native_rnn
