// Threads that share pieces of work too short to wake anyone for: the caller and pool threads that stay with it,
// spinning, until the whole is done. Knows no layers.
#pragma once
#include "barrier.h"
#include "team.h"

namespace native_rnn {

class ForkJoin {
public:
  using Work = void (*)(void* argument, size_t share, size_t shares, Barrier& barrier);
  explicit ForkJoin(size_t threads);
  ~ForkJoin();
  // Runs work(argument, share, shares, barrier) on every thread that is there by now, and returns when all have ended.
  // `steps`: its size, where a step takes as long in every piece; 0 where not.
  void run(Work work, void* argument, size_t steps);

private:
  static void member(void* forkJoin, size_t index);

  Work work_ = nullptr;
  void* argument_ = nullptr;
  Barrier* barrier_ = nullptr;
  std::atomic<uint64_t> round_{0}; // number of the round · 65536 + its shares
  std::atomic<size_t> working_{0}; // members that have not ended their share of this round
  std::atomic<bool> done_{false};
  double soloTicksPerStep_ = 0; // of the caller by itself
  bool tooSlow_ = false;
  Team team_;
};

} // namespace native_rnn
