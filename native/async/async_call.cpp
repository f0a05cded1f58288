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
      outcome = work(*scratch, cancelled_);
    }
  } catch (const std::exception&) {
    outcome = Outcome::outOfMemory; // the one thing that is thrown
  }
  if (scratch)
    ScratchPool::shared().give(scratch);
  release();
  completions_.put(*this);
}

} // namespace native_rnn
