// B live sequences of a forward network: state and scratch of their own, always ready to step.
#pragma once
#include "network.h"

namespace native_rnn {

class Recurrence;

class Stream {
public:
  // Floats of memory that a stream of B rows asks for.
  static size_t floats(const Network&, size_t B);
  // The network must outlive the stream; throws std::bad_alloc.
  Stream(const Network&, size_t B);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  // x (B, I) → y (B, O)
  void step(const float* x, float* y);
  // x (T, B, I) → y (T, B, O)
  void run(const float* x, size_t T, float* y);
  void readState(float* h, float* c) const;        // (L, B, O), (L, B, H); c may be null
  void writeState(const float* h, const float* c); // null: zeros
  // Bytes of memory that the stream holds.
  size_t bytes() const { return memory_.bytes(); }

private:
  const Network& network_;
  const size_t B_;
  Scratch memory_;
  Recurrence* recurrences_; // one for each layer, in memory_
  float* between_[2];       // outputs of the layers before: (timeBlock, B, O)
};

} // namespace native_rnn
