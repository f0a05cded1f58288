// Threads that share the steps of one row: the caller and the pool threads that have come to help it. Knows no layers.
#pragma once
#include "pool.h"

namespace native_rnn {

// Threads that share the work of one pass: the caller and those that have come to help.
class ForkJoin {
public:
  using Work = void (*)(void* argument, size_t share, size_t shares, Barrier& barrier);
  explicit ForkJoin(size_t threads);
  ~ForkJoin();
  // Runs work(argument, share, shares, barrier) on every thread that is there by now. `steps`: its size, where
  // pieces of equal size are alike; 0 where not.
  void run(Work work, void* argument, size_t steps);

private:
  static void member(void* forkJoin, size_t index);
  Work work_ = nullptr;
  void* argument_ = nullptr;
  Barrier* barrier_ = nullptr;
  // Number of the round · 65536 + its shares, in one word: who reads a word that counts him in is waited for.
  std::atomic<uint64_t> round_{0};
  std::atomic<size_t> working_{0};
  std::atomic<bool> done_{false};
  double soloTicksPerStep_ = 0; // clock ticks a step of the caller by itself
  bool tooSlow_ = false;
  Team team_;
};

} // namespace native_rnn
