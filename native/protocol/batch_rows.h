// Live streams that step together: their frames and states lie by slot in arrays of JavaScript's, and a batch is
// gathered from some of them and scattered back. Knows no Node and no threads: the arrays are touched by their owner
// alone.
#pragma once
#include "forward_request.h"

namespace native_rnn {

// Frames (·, I), h (·, L, O), c (·, L, H), outputs (rows, O), rows (rows, 2); the arrays' lengths say how many there
// are.
struct BatchArrays {
  float *frames, *h, *c, *outputs; // c: null where the cell has no cell state
  int32_t* rows;
  size_t framesLength, hLength, cLength, outputsLength, rowsLength;
};

class BatchRows {
public:
  explicit BatchRows(const NetworkSpec& spec) : spec_(spec) {}
  void bind(const BatchArrays&);

  // Floats of a call's arrays for so many rows.
  size_t floats(size_t B) const;
  // Rows (state slot, frame slot), each checked, and not more than there are; to be called before gather().
  void check(size_t B) const;
  // The call of one step of B rows, with all its arrays out of `memory`, the inputs filled in.
  ForwardCall gather(size_t B, ArenaCursor memory) const;
  // Rows (state slot, or negative where the new state is not wanted) of a call that is done; outputs too.
  void scatter(const ForwardCall&) const;
  size_t mostRows() const { return mostRows_; }

private:
  const NetworkSpec spec_;
  BatchArrays arrays_{};
  size_t frameSlots_ = 0, stateSlots_ = 0, mostRows_ = 0;
};

} // namespace native_rnn
