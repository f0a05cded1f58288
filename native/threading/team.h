// Pool threads that come to help the caller, each if it wakes in time: the caller never waits for a sleeping thread.
// Two ways on top of the pool: a team, whose members know their number, and a loop whose items anyone takes.
#pragma once
#include "pool.h"

namespace native_rnn {

// Each pool thread that wakes in time runs `work(argument, member)`, members numbered from 1 in the order of arrival.
// The caller is member 0 and does its own part itself.
class Team final : Task {
public:
  using Work = void (*)(void* argument, size_t member);
  Team(size_t members, Work work, void* argument);
  ~Team() { end(); }
  // How many have come so far, the caller not counted. Only grows.
  size_t arrived() const { return arrived_.load(std::memory_order_acquire); }
  // Who has not come is called off; waits until everyone who came has returned from `work`.
  void end();

private:
  void run() noexcept override;
  Work work_;
  void* argument_;
  size_t invited_;
  bool ended_ = false;
  std::atomic<size_t> arrived_{0}, left_{0};
};

// Calls work(argument, item) once for every item, on the caller and at most `threads - 1` pool threads, and returns
// when all are done. Items must not wait for each other.
void parallelFor(size_t items, size_t threads, void (*work)(void* argument, size_t item), void* argument);

} // namespace native_rnn
