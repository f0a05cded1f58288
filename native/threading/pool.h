// The process's own worker threads: started when first needed, asleep while idle, never joined. Knows no networks, no
// Node.
#pragma once
#include "../platform/affinity.h"
#include "../platform/thread.h"
#include <atomic>
#include <cstdint>

namespace native_rnn {

// Work for pool threads. Belongs to its maker, and stays alive until `run` has returned in every thread that took it:
// as many as it had slots, less those that `Pool::cancel` took back.
class Task {
public:
  virtual void run() noexcept = 0;

protected:
  Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() = default;

private:
  friend class Pool;
  Task *previous_ = nullptr, *next_ = nullptr;
  size_t slots_ = 0; // threads that may still take it; 0: it is not in the queue
};

class Pool {
public:
  static Pool& shared();
  // The most threads; those already started stay. Until it is called: the machine's processors.
  void limit(size_t threads);
  size_t size() const { return limit_.load(std::memory_order_relaxed); }
  // Queues the task for `slots` threads. Urgent ones go first: a thread is waiting for them. False: no thread could be
  // started and none is there, so the task would never run; it is not queued.
  bool submit(Task&, size_t slots = 1, bool urgent = false);
  // Takes back the slots that no thread has taken yet; how many those were.
  size_t cancel(Task&);

private:
  // A thread of a small pool; a larger one leaves the choice of processors to the system, which has more of them.
  struct Sleeper {
    ThreadId thread;
    bool asleep, away;
    Processors all, kept; // what it may use; what it is kept to while away
  };

  Pool() = default;
  void work();
  void moveSleepersAway();
  static void comeBack(const Sleeper&);
  static ThreadResult RNN_THREAD_CALL enter(void*);
  void unlink(Task&);

  Mutex mutex_;
  Condition wake_;
  Task *first_ = nullptr, *last_ = nullptr;
  size_t openSlots_ = 0;          // of all tasks in the queue
  size_t idle_ = 0, started_ = 0; // threads; idle ones sleep, or are on their way to the queue
  static constexpr size_t fewThreads = 4;
  Sleeper sleepers_[fewThreads];
  size_t entered_ = 0; // threads that have reached work()
  std::atomic<size_t> limit_{processors()};
};

} // namespace native_rnn
