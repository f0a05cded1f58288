// One layer in one direction on its way through time: rows of sequences, their states, and the steps that they take.
#pragma once
#include "../threading/fork_join.h"
#include "input_gates.h"
#include "workspace.h"
#include <atomic>
#include <utility>

namespace native_rnn {

// Owns nothing, lives in memory that it is given.
class Recurrence {
public:
  // Floats of memory for at most B rows; `ordered`: they come with an order.
  static size_t floats(const PackedLayer&, size_t B, size_t T, bool ordered);
  Recurrence(const PackedLayer&, const RowGroup&, bool reverse, float* memory);

  void setInput(const Strided<const float>& x, bool byPosition);
  Strided<float> y{};           // by time step and row; null data: not wanted
  bool yByPosition = false;     // rows of y lie in the order of the group, not of the batch
  ForkJoin* forkJoin = nullptr; // shares the steps of a single row
  const std::atomic<bool>* cancelled = nullptr;

  // States are (B, O) and (B, H) by row of the batch; null: zeros.
  void setState(const float* h, const float* c);
  void getState(float* h, float* c) const;
  // The states of rows that end on the way go to hn and cn. Steps [begin, end) are counted from each row's start (its
  // last step where time is reversed).
  void advance(size_t begin, size_t end, float* hn, float* cn);
  // One step of all rows over dense x (B, I) and y (B, O).
  void step(const float* input, float* output);

private:
  float* newestState() const { return liveStep_.state.h[0]; }
  void swapStates() { std::swap(liveStep_.state.h[0], liveStep_.state.h[1]); }
  size_t activeAt(size_t step) const;
  // Whether so many steps of a single row take tiles of later input gates along.
  bool overlapsOver(size_t steps) const;
  RecurrenceArgs argsOf(size_t begin, size_t steps, size_t active) const;
  void runOverlapped(size_t begin, size_t end);
  // Runs args on this thread, or where there are others shares the units of each step; makes the input gates of the
  // first `inputSteps` steps before.
  void run(const RecurrenceArgs& args, size_t begin, size_t inputSteps);
  void share(const RecurrenceArgs& args, size_t begin, size_t inputSteps);
  size_t stepsPerRound() const;
  bool isCancelled() const { return cancelled && cancelled->load(std::memory_order_relaxed); }

  const PackedLayer& layer_;
  const RowGroup rows_;
  const bool reverse_;
  const Workspace::Sizes sizes_;
  const Workspace workspace_;
  InputGates inputGates_;
  // What the kernels get for a live step; all other calls of them begin as a copy. It also knows which of its two
  // states is the newest: h[0].
  RecurrenceArgs liveStep_{};
  bool makesOwnInputGates_; // step() leaves the input product to the kernel
  bool serpentine_;         // step() walks there and back over the weights
  size_t overlapRows_;      // input gates of a single row that are made beside the steps before them; 0: none
  bool overlapsAlone_;      // where no thread shares the steps, too
};

} // namespace native_rnn
