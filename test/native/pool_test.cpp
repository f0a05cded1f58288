// The pool and what stands on it: every item runs once, a cancelled task never, barriers hold threads together, rounds
// of a fork-join are shared by who is there.
#include "platform/clock.h"
#include "threading/fork_join.h"
#include "unit.h"
#include <vector>

using namespace native_rnn;

static void parallelForRunsEachItemOnce() {
  for (size_t items : {0, 1, 2, 7, 1000})
    for (size_t threads : {1, 2, 4}) {
      std::vector<std::atomic<int>> runs(items);
      parallelFor(
          items, threads,
          [](void* runs, size_t item) { (*static_cast<std::vector<std::atomic<int>>*>(runs))[item].fetch_add(1); },
          &runs);
      for (std::atomic<int>& count : runs)
        CHECK(count.load() == 1);
    }
}

struct CountingTask final : Task {
  void run() noexcept override { runs.fetch_add(1, std::memory_order_release); }
  std::atomic<int> runs{0};
};

static void aTaskRunsOncePerSlotOrIsCancelled() {
  for (int round = 0; round < 200; round++) {
    CountingTask task;
    CHECK(Pool::shared().submit(task, 3));
    const int cancelled = int(Pool::shared().cancel(task));
    CHECK(cancelled >= 0 && cancelled <= 3);
    spinUntil([&] { return task.runs.load(std::memory_order_acquire) == 3 - cancelled; });
    CHECK(Pool::shared().cancel(task) == 0);
  }
}

static void noThreadPassesABarrierBeforeAllHaveArrived() {
  struct Shared {
    Barrier barrier{2};
    std::atomic<int> arrived{0};
    std::atomic<bool> early{false};
    void walk() {
      for (int round = 1; round <= 500; round++) {
        arrived.fetch_add(1, std::memory_order_relaxed);
        barrier.arriveAndWait();
        if (arrived.load(std::memory_order_relaxed) < 2 * round)
          early.store(true);
        barrier.arriveAndWait();
      }
    }
  } shared;
  Team team(
      2, [](void* shared, size_t) { static_cast<Shared*>(shared)->walk(); }, &shared);
  spinUntil([&] { return team.arrived() == 1; });
  shared.walk();
  team.end();
  CHECK(!shared.early.load());
  CHECK(shared.arrived.load() == 1000);
}

static void aRoundHasEachPartOnce() {
  ForkJoin forkJoin(4, false);
  for (int round = 0; round < 300; round++) {
    struct Parts {
      std::atomic<uint32_t> taken{0};
      std::atomic<size_t> count{0};
    } parts;
    forkJoin.run(
        [](void* argument, size_t index, size_t count, Barrier& barrier) {
          Parts& parts = *static_cast<Parts*>(argument);
          parts.taken.fetch_add(1u << (8 * index));
          parts.count.store(count);
          barrier.arriveAndWait();
        },
        &parts, 0);
    const size_t count = parts.count.load();
    CHECK(count >= 1 && count <= 4);
    for (size_t index = 0; index < 4; index++)
      CHECK(((parts.taken.load() >> (8 * index)) & 255) == (index < count ? 1u : 0u));
  }
}

// The caller's own steps may have taken long because it was kept from running.
static void aRoundGainsNoMoreThanItsTimeForEachThreadThatCame() {
  struct Round {
    double ns;
    size_t shares = 0;
    double run(ForkJoin& forkJoin) {
      const double begin = nanoseconds();
      forkJoin.run(
          [](void* argument, size_t share, size_t shares, Barrier&) {
            Round& round = *static_cast<Round*>(argument);
            const double begin = nanoseconds();
            if (share == 0)
              round.shares = shares;
            spinUntil([&] { return nanoseconds() - begin >= round.ns; });
          },
          this, 1);
      return nanoseconds() - begin;
    }
  };
  // A thread that has not come after the slow round has another chance.
  size_t shares = 0;
  for (int attempt = 0; attempt < 100 && shares < 2; attempt++) {
    ForkJoin forkJoin(2, true);
    Round slow{20e6}, quick{1e3};
    slow.run(forkJoin);
    CHECK(slow.shares == 1 && forkJoin.lostNs() == 0);
    const double took = quick.run(forkJoin);
    shares = quick.shares;
    if (shares == 2)
      CHECK(forkJoin.lostNs() >= -took && (forkJoin.lostNs() < 0 || took >= slow.ns));
  }
  CHECK(shares == 2);
}

int main() {
  Pool::shared().limit(4);
  parallelForRunsEachItemOnce();
  aTaskRunsOncePerSlotOrIsCancelled();
  noThreadPassesABarrierBeforeAllHaveArrived();
  aRoundHasEachPartOnce();
  aRoundGainsNoMoreThanItsTimeForEachThreadThatCame();
  return unit::end();
}
