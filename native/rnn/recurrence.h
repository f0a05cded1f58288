// One layer in one direction on its way through time: rows of sequences, their states, and the steps that they take.
#pragma once
#include "../threading/fork_join.h"
#include "input_gates.h"
#include "workspace.h"
#include <atomic>

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
  size_t activeAt(size_t step) const;
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
  float* h_[2];               // the newest state, and room for the next
  RecurrenceArgs base_{};     // what all calls of the kernels have in common
  RecurrenceArgs liveStep_{}; // those of step()
  bool serpentine_;           // step() walks there and back over the weights
  size_t overlapRows_;        // input gates of a single row that are made beside the steps before them; 0: none
};

} // namespace native_rnn
