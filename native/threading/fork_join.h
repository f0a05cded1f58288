// Threads that share pieces of work too short to wake anyone for: the caller and pool threads that stay with it,
// spinning, until the whole is done. Knows no layers.
#pragma once
#include "barrier.h"
#include "team.h"

namespace native_rnn {

class ForkJoin {
public:
  using Work = void (*)(void* argument, size_t share, size_t shares, Barrier& barrier);
  // `compares`: the first round that can be compared is the caller's alone, so that it is known what others are worth.
  ForkJoin(size_t threads, bool compares);
  ~ForkJoin() { end(); }
  // Runs work(argument, share, shares, barrier) on every thread that is there by now, and returns when all have ended.
  // `steps`: its size, where a step takes as long in every piece; 0 where not.
  void run(Work work, void* argument, size_t steps);
  // Lets the others go. No round follows.
  void end();
  // Nanoseconds that all rounds with others, and waiting for these to leave, have taken more than the caller alone
  // would have by its own rounds; negative where others were of use.
  double lostNs() const { return lostNs_; }

private:
  static void member(void* forkJoin, size_t index);

  Work work_ = nullptr;
  void* argument_ = nullptr;
  Barrier* barrier_ = nullptr;
  std::atomic<uint64_t> round_{0}; // number of the round · 65536 + its shares
  std::atomic<size_t> working_{0}; // members that have not ended their share of this round
  std::atomic<bool> done_{false};
  double soloNsPerStep_ = 0; // of the caller by itself
  double lostNs_ = 0;
  const bool compares_;
  bool tooSlow_ = false;
  Team team_;
};

} // namespace native_rnn
