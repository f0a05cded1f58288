// A forward call in short pieces, for a thread that has other things to do in between: cut in rows and in time, states
// carried from one piece to the next. However it is cut, the bits are the same.
#pragma once
#include "forward.h"
#include "network.h"

namespace native_rnn {

class ForwardPieces {
public:
  // The call's arrays and the network must outlive it.
  ForwardPieces(const ForwardCall&, const Network&);
  // Floats of memory that start() needs, which must outlive the pieces.
  size_t floats() const { return forward_.floats(); }
  void start(float* memory);
  // Runs one piece: a few million multiply-adds, or one step of one row where that has more. False: the call is done.
  bool advance();

private:
  bool nextGroup();
  void enterLayer();

  Forward forward_;
  float* memory_ = nullptr;
  Recurrence* recurrences_ = nullptr; // one, or where layers follow each other through time all
  RowGroup group_{};
  size_t firstRow_ = 0;              // that no group has taken
  size_t begin_ = 0;                 // of the next piece in time
  size_t layer_ = 0, direction_ = 0; // of the next piece
  bool inGroup_ = false;
};

} // namespace native_rnn
