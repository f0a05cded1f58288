// The pool's queue, its threads, and where these may run while they sleep.
#include "pool.h"
#include <new>

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
  const size_t busy = started_ - idle_;
  while (started_ < size() && started_ < openSlots_ + slots + busy) {
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
  nameCurrentThread("native-rnn");
  static_cast<Pool*>(pool)->work();
  return 0;
}

// Where a sleeper may run, so that it is not woken on the processor of the thread that has work for it:
//
//   asleep, not away ── submit: kept to `kept` = all but the submitter's ──▶ asleep, away ── submit ─┐
//          ▲                                                                  │    ▲  (kept anew)    │
//          │                                                                  │    └─────────────────┘
//          └─── queue empty ─── working, not away ◀── wakes: gets `all` back ─┘
//
// Whoever sets a sleeper's processors from outside has the last word: what is not `kept` any more becomes `all`.
void Pool::moveSleepersAway() {
  if (entered_ > fewThreads || size() > fewThreads || !mayChooseProcessors())
    return;
  // Every one of them, for any may be the one that wakes.
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

void Pool::comeBack(const Sleeper& sleeper) {
  Processors now;
  if (readProcessors(sleeper.thread, now) && sameProcessors(now, sleeper.kept))
    useProcessors(sleeper.thread, sleeper.all);
}

// A thread's whole life: sleep, take a slot of the first task, run it with the queue unlocked.
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
    if (away)
      comeBack(self); // nobody else writes to it until it sleeps again
    task.run();       // the task may be gone when it returns
    mutex_.lock();
    idle_++;
  }
}

} // namespace native_rnn
