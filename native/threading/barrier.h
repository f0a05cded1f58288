// Running threads that wait for each other without sleeping: they are apart by microseconds, a wake-up takes tens.
#pragma once
#include "../platform/thread.h"
#include <atomic>
#include <cstdint>

namespace native_rnn {

// Spins, then yields, until `done()` is true.
template <class Done>
inline void spinUntil(Done done) {
  for (int turn = 0; !done(); turn++) {
    if (turn < 4000)
      pauseThread();
    else
      yieldThread();
  }
}

// Holds a fixed number of running threads until all have arrived, any number of times. What each wrote before is seen
// by all after.
class Barrier {
public:
  explicit Barrier(size_t members) : members_(members) {}
  void arriveAndWait() {
    const uint32_t round = round_.load(std::memory_order_acquire);
    if (here_.fetch_add(1, std::memory_order_acq_rel) + 1 == members_) {
      here_.store(0, std::memory_order_relaxed);
      round_.store(round + 1, std::memory_order_release);
      return;
    }
    spinUntil([&] { return round_.load(std::memory_order_acquire) != round; });
  }

private:
  const size_t members_;
  std::atomic<size_t> here_{0};
  std::atomic<uint32_t> round_{0};
};

} // namespace native_rnn
