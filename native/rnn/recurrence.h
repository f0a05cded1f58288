// A layer on its way through time: rows of sequences, their states, and the steps that they take.
#pragma once
#include "../threading/fork_join.h"
#include "packed_layer.h"

namespace native_rnn {

// The rows that one pass runs over, and when each ends.
struct RowGroup {
  size_t T, B;
  size_t first;           // row i is row first + i of the batch, or
  const uint32_t* order;  // where not null, row order[i], the longest first
  const int32_t* lengths; // by row of the batch; null: all are T
  size_t row(size_t i) const { return order ? order[i] : first + i; }
  size_t length(size_t i) const { return lengths ? size_t(lengths[row(i)]) : T; }
};

// Elements of a sequence array: (t, b) begins at data + t·step + b·row.
template <class Float>
struct Strided {
  Float* data;
  ptrdiff_t step, row;
  Float* at(size_t t, size_t b) const { return data + ptrdiff_t(t) * step + ptrdiff_t(b) * row; }
};

// Owns nothing, lives in memory that it is given.
class Recurrence {
public:
  // Floats of memory that a pass over at most B rows asks for; `ordered`: its rows come with an order.
  static size_t floats(const PackedLayer&, size_t B, size_t T, bool ordered);
  Recurrence(const PackedLayer&, const RowGroup&, bool reverse, float* memory);

  Strided<const float> x{}; // by time step and row of the batch
  Strided<float> y{};       // null data: not wanted
  // Rows of x and y that lie in the order of the pass, not of the batch.
  bool xByPosition = false, yByPosition = false;
  ForkJoin* forkJoin = nullptr; // shares the steps of a single row
  const std::atomic<bool>* cancelled = nullptr;

  // States are (B, O) and (B, H) by row of the batch; null: zeros.
  void setState(const float* h, const float* c);
  void getState(float* h, float* c) const;
  // The states of rows that end on the way go to hn and cn. Steps [begin, end) are counted from each row's start (its
  // last step where the pass is reversed).
  void advance(size_t begin, size_t end, float* hn, float* cn);
  // One step of all rows over dense x (B, I) and y (B, O).
  void step(const float* input, float* output);

private:
  size_t activeAt(size_t step) const;
  size_t timeOf(size_t row, size_t step) const { return reverse_ ? rows_.length(row) - 1 - step : step; }
  void inputGates(size_t begin, size_t steps, size_t active, float* sums) const;
  // Computes the input sums first, unless they are there already.
  void runSteps(size_t begin, size_t steps, size_t active, bool haveInputGates = false);
  void shareSteps(size_t begin, size_t steps, bool haveInputGates);
  void runOverlapped(size_t begin, size_t end);
  size_t stepsPerRound() const;
  bool isCancelled() const { return cancelled && cancelled->load(std::memory_order_relaxed); }

  const PackedLayer& layer_;
  const RowGroup rows_;
  const bool reverse_;
  bool reverses_,
      fusesInput_; // whether step() walks there and back over the weights; whether it sums up a row's input on the way
  size_t chunkSteps_; // steps whose input sums are computed before them
  size_t aheadRows_;  // or, of a single row, beside the steps before them; 0: not
  float *memory_, *inputGates_, *gathered_;
  float** outputRows_;
  RecurrenceArgs args_{};
  GemmArgs inputGemm_{};
};

} // namespace native_rnn
