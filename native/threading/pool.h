// The process's own worker threads: started when first needed, asleep while idle, never joined. Knows no networks, no
// Node.
#pragma once
#include "../platform/thread.h"
#include <atomic>
#include <cstdint>

namespace native_rnn {

// Work for pool threads. Belongs to its maker, and stays alive until `run` has returned in every thread that took it
// (`withdraw` says how many took it).
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
  size_t slots_ = 0; // threads that may still take it; 0: it does not wait
};

class Pool {
public:
  static Pool& shared();
  // The most threads; what was started stays. Until it is called: the machine's processors.
  void limit(size_t threads);
  size_t size() const { return limit_.load(std::memory_order_relaxed); }
  // Queues the job for `seats` threads. Urgent ones go first: a thread is waiting for them. False: no thread could be
  // started and none is there, so the job would never run; it is not queued.
  bool submit(Task&, size_t slots = 1, bool urgent = false);
  // Takes back the seats that no thread has taken yet; how many those were.
  size_t cancel(Task&);

private:
  Pool() = default;
  void work();
  void moveSleepersAway();
  static ThreadResult RNN_THREAD_CALL enter(void*);
  void unlink(Task&);

  Mutex mutex_;
  Condition wake_;
  Task *first_ = nullptr, *last_ = nullptr;
  size_t openSlots_ = 0; // seats in the queue
  size_t idle_ = 0, started_ = 0;
  // The threads of a small pool; a larger one leaves the choice of processors to the system, which has more of them.
  struct Sleeper {
    ThreadId thread;
    bool asleep, away;
    Processors all, kept; // that it may use, and those that it is kept to while away
  };
  static constexpr size_t fewThreads = 4;
  Sleeper sleepers_[fewThreads];
  size_t entered_ = 0;
  std::atomic<size_t> limit_{processors()};
};

// The caller and the pool threads that come to help it: each that wakes in time runs `work(argument, member)`, members
// numbered from 1 in the order of arrival (the caller is 0 and does its own part). Who comes late is sent away, so the
// caller never waits for a sleeping thread.
class Team final : Task {
public:
  using Work = void (*)(void* argument, size_t member);
  Team(size_t members, Work work, void* argument);
  ~Team() { end(); }
  // How many have come so far, the caller not counted. Only grows.
  size_t arrived() const { return arrived_.load(std::memory_order_acquire); }
  // Closes the door and waits until everyone who came has returned from `work`.
  void end();

private:
  void run() noexcept override;
  Work work_;
  void* argument_;
  size_t invited_;
  bool ended_ = false;
  std::atomic<size_t> arrived_{0}, left_{0};
};

// Calls work(argument, part) once for every part, on the caller and at most `threads - 1` pool threads, and returns
// when all are done. Parts must not wait for each other.
void parallelFor(size_t items, size_t threads, void (*work)(void* argument, size_t item), void* argument);

// A meeting of a fixed number of running threads: spins for some microseconds, then yields. Nothing that a thread wrote
// before it is unseen by the others after it.
class Barrier {
public:
  explicit Barrier(size_t members) : members_(members) {}
  void arriveAndWait();

private:
  const size_t members_;
  std::atomic<size_t> here_{0};
  std::atomic<uint32_t> round_{0};
};

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

} // namespace native_rnn
