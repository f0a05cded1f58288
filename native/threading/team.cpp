// A team is one task of the pool with a slot for each member that is invited.
#include "team.h"
#include "barrier.h"
#include <algorithm>

namespace native_rnn {

Team::Team(size_t members, Work work, void* argument) : work_(work), argument_(argument), invited_(0) {
  if (members <= 1)
    return;
  Pool& pool = Pool::shared();
  const size_t most = std::min(pool.size(), members - 1);
  if (pool.submit(*this, most, true))
    invited_ = most;
}

void Team::run() noexcept {
  work_(argument_, arrived_.fetch_add(1, std::memory_order_acq_rel) + 1);
  left_.fetch_add(1, std::memory_order_release);
}

void Team::end() {
  if (ended_)
    return;
  ended_ = true;
  const size_t came = invited_ - (invited_ ? Pool::shared().cancel(*this) : 0);
  spinUntil([&] { return left_.load(std::memory_order_acquire) == came; });
}

namespace {

struct ParallelLoop {
  size_t items;
  void (*work)(void*, size_t);
  void* argument;
  std::atomic<size_t> next{0};
  static void takeItems(void* self, size_t) {
    ParallelLoop& loop = *static_cast<ParallelLoop*>(self);
    for (size_t item; (item = loop.next.fetch_add(1, std::memory_order_relaxed)) < loop.items;) {
      loop.work(loop.argument, item);
    }
  }
};

} // namespace

void parallelFor(size_t items, size_t threads, void (*work)(void*, size_t), void* argument) {
  ParallelLoop loop{items, work, argument};
  Team team(threads < items ? threads : items, &ParallelLoop::takeItems, &loop);
  ParallelLoop::takeItems(&loop, 0);
}

} // namespace native_rnn
