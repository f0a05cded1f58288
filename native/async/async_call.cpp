// Running a call: with scratch memory that the threads pass on to each other, to an outcome whatever happens.
#include "async_call.h"
#include "scratch_pool.h"
#include <exception>

namespace native_rnn {

void AsyncCall::run() noexcept {
  Scratch* scratch = nullptr;
  try {
    if (!cancelled_.load(std::memory_order_relaxed)) {
      scratch = ScratchPool::shared().take();
      buffer.provideNext();
      arrays.cancelled = &cancelled_;
      outcome = counted.network.forward(arrays, *scratch) ? Outcome::done : Outcome::cancelled;
    }
  } catch (const std::exception&) {
    outcome = Outcome::outOfMemory; // the one thing that forward throws
  }
  if (scratch)
    ScratchPool::shared().give(scratch);
  if (writesOutside)
    buffer.release();
  completions_.put(*this);
}

} // namespace native_rnn
