// A fork-join works in rounds: the caller hands one out, who is there takes a share, and all meet at its end.
//
//   caller   work_, argument_, barrier_, working_ = shares − 1 ─▶ round_ = number | shares ─▶ share 0 ─▶ working_ == 0?
//                                                                      │ release, acquire                  ▲
//   member   spins: round_ ≠ seen? ◀──────────────────────────────────┘                                   │
//                   index < shares ─▶ share `index` ─▶ working_ − 1 ───────────────────────────────────────┘
//                   index ≥ shares ─▶ it arrived too late for this round, and spins for the next
//
// The number and the shares are one word: a member that reads it knows with the same read whether the caller waits for
// it.
#include "fork_join.h"
#include "../platform/clock.h"
#include <algorithm>

namespace native_rnn {

namespace {

constexpr uint64_t sharesBits = 16, sharesMask = (uint64_t{1} << sharesBits) - 1;
// A caller that waits for others longer than it worked itself, and this much more, waits for a thread that does not
// run.
constexpr double mostWaitNs = 200e3;
constexpr double mostLeaveNs = 100e3;

} // namespace

ForkJoin::ForkJoin(size_t threads, bool compares) : compares_(compares), team_(threads, member, this) {}

void ForkJoin::end() {
  const double begin = nanoseconds();
  done_.store(true, std::memory_order_release);
  team_.end();
  // Others always take a moment to leave.
  const double waited = nanoseconds() - begin;
  if (waited > mostLeaveNs)
    lostNs_ += waited;
}

void ForkJoin::member(void* argument, size_t index) {
  ForkJoin& forkJoin = *static_cast<ForkJoin*>(argument);
  uint64_t seen = 0;
  while (true) {
    uint64_t round = seen;
    spinUntil([&] {
      const bool done = forkJoin.done_.load(std::memory_order_acquire);
      round = forkJoin.round_.load(std::memory_order_acquire);
      return done || round != seen;
    });
    if (round == seen)
      return;
    seen = round;
    const size_t shares = round & sharesMask;
    if (index >= shares)
      continue;
    forkJoin.work_(forkJoin.argument_, index, shares, *forkJoin.barrier_);
    forkJoin.working_.fetch_sub(1, std::memory_order_release);
  }
}

void ForkJoin::run(Work work, void* argument, size_t steps) {
  const bool isFirst = compares_ && steps > 0 && soloNsPerStep_ == 0;
  const size_t shares = tooSlow_ || isFirst ? 1 : 1 + team_.arrived();
  Barrier barrier(shares);
  work_ = work, argument_ = argument, barrier_ = &barrier;
  working_.store(shares - 1, std::memory_order_relaxed);
  const double begin = nanoseconds();
  const uint64_t number = (round_.load(std::memory_order_relaxed) >> sharesBits) + 1;
  round_.store((number << sharesBits) | shares, std::memory_order_release);
  work(argument, 0, shares, barrier);
  const double own = nanoseconds() - begin;
  spinUntil([&] { return working_.load(std::memory_order_acquire) == 0; });
  const double all = nanoseconds() - begin;
  if (shares == 1) {
    if (steps > 0)
      soloNsPerStep_ = all / double(steps);
    return;
  }
  // On a busy machine a member may be kept from running while all wait for it: then one thread alone is faster, and
  // nobody else should be in its way.
  double lost = 0;
  if (steps > 0 && soloNsPerStep_ > 0) // others save no more than they take, however slow the caller's own steps were
    lost = std::max(all - soloNsPerStep_ * double(steps), -all * double(shares - 1));
  else if (all - own > own + mostWaitNs)
    lost = all - 2 * own;
  lostNs_ += lost;
  if (lost > 0) {
    tooSlow_ = true;
    done_.store(true, std::memory_order_release);
  }
}

} // namespace native_rnn
