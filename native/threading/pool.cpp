// The queue of the pool, and the two ways of working together that stand on it: teams and parallel parts.
#include "pool.h"
#include <new>
#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace native_rnn {

Pool& Pool::shared() {
  // Never destroyed: its threads outlive every static object.
  alignas(Pool) static unsigned char memory[sizeof(Pool)];
  static Pool* const pool = new (memory) Pool;
  return *pool;
}

void Pool::limit(size_t threads) { limit_.store(threads ? threads : 1, std::memory_order_relaxed); }

bool Pool::submit(Task& task, size_t slots, bool urgent) {
  if (slots == 0)
    return true;
  const Guard guard(mutex_);
  while (started_ < size() && started_ < openSlots_ + slots + (started_ - idle_)) {
    if (started_ == 0)
      keepLoaded(reinterpret_cast<const void*>(&Pool::enter));
    if (!startThread(&Pool::enter, this))
      break;
    started_++;
    idle_++; // it is on its way to the queue
  }
  if (started_ == 0)
    return false;
  task.slots_ = slots;
  openSlots_ += slots;
  task.previous_ = urgent ? nullptr : last_;
  task.next_ = urgent ? first_ : nullptr;
  (task.previous_ ? task.previous_->next_ : first_) = &task;
  (task.next_ ? task.next_->previous_ : last_) = &task;
  moveSleepersAway();
  if (slots > 1)
    wake_.wakeAll();
  else
    wake_.wakeOne();
  return true;
}

size_t Pool::cancel(Task& task) {
  const Guard guard(mutex_);
  const size_t slots = task.slots_;
  if (slots == 0)
    return 0;
  task.slots_ = 0;
  openSlots_ -= slots;
  unlink(task);
  return slots;
}

void Pool::unlink(Task& task) {
  (task.previous_ ? task.previous_->next_ : first_) = task.next_;
  (task.next_ ? task.next_->previous_ : last_) = task.previous_;
}

ThreadResult RNN_THREAD_CALL Pool::enter(void* pool) {
#ifdef __linux__
  prctl(PR_SET_NAME, "native-rnn", 0, 0, 0);
#endif
  static_cast<Pool*>(pool)->work();
  return 0;
}

// Any of them may be the one that wakes. Who gave a thread other processors meanwhile has the last word.
void Pool::moveSleepersAway() {
  if (entered_ > fewThreads || size() > fewThreads || !mayChooseProcessors())
    return;
  for (size_t i = 0; i < entered_; i++) {
    Sleeper& sleeper = sleepers_[i];
    Processors now;
    if (!sleeper.asleep || !readProcessors(sleeper.thread, now))
      continue;
    if (!sleeper.away || !sameProcessors(now, sleeper.kept))
      sleeper.all = now;
    sleeper.kept = sleeper.all;
    sleeper.away = withoutThisOne(sleeper.kept);
    if (sleeper.away)
      useProcessors(sleeper.thread, sleeper.kept);
  }
}

void Pool::work() {
  mutex_.lock();
  Sleeper beyond{}, &self = entered_ < fewThreads ? sleepers_[entered_] : beyond;
  entered_++;
  self = {currentThread(), false, false, {}, {}};
  for (;;) {
    self.asleep = true;
    while (!first_)
      wake_.wait(mutex_);
    self.asleep = false;
    const bool away = self.away;
    self.away = false;
    Task& task = *first_;
    openSlots_--;
    if (--task.slots_ == 0)
      unlink(task);
    idle_--;
    mutex_.unlock();
    Processors now;
    if (away && readProcessors(self.thread, now) && sameProcessors(now, self.kept))
      useProcessors(self.thread, self.all);
    task.run(); // the job may be gone when it returns
    mutex_.lock();
    idle_++;
  }
}

Team::Team(size_t members, Work work, void* argument) : work_(work), argument_(argument), invited_(0) {
  Pool& pool = Pool::shared();
  const size_t most = pool.size() < members ? pool.size() : members - 1;
  if (members > 1 && pool.submit(*this, most, true))
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
  size_t count;
  void (*work)(void*, size_t);
  void* argument;
  std::atomic<size_t> next{0};
  static void take(void* self, size_t) {
    ParallelLoop& items = *static_cast<ParallelLoop*>(self);
    for (size_t item; (item = items.next.fetch_add(1, std::memory_order_relaxed)) < items.count;) {
      items.work(items.argument, item);
    }
  }
};
} // namespace

void parallelFor(size_t items, size_t threads, void (*work)(void*, size_t), void* argument) {
  ParallelLoop all{items, work, argument};
  Team team(threads < items ? threads : items, &ParallelLoop::take, &all);
  ParallelLoop::take(&all, 0);
}

void Barrier::arriveAndWait() {
  const uint32_t round = round_.load(std::memory_order_acquire);
  if (here_.fetch_add(1, std::memory_order_acq_rel) + 1 == members_) {
    here_.store(0, std::memory_order_relaxed);
    round_.store(round + 1, std::memory_order_release);
    return;
  }
  spinUntil([&] { return round_.load(std::memory_order_acquire) != round; });
}

} // namespace native_rnn
