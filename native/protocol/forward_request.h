// One forward call as the header tells it: which arrays it has, how long each is, and how they lie in the arena.
#pragma once
#include "../rnn/network.h"
#include "header.h"

namespace native_rnn {

// The lengths of all arrays of one forward call.
struct CallLengths {
  size_t x, h, c, y; // c: 0 where the cell has no cell state
};
// Throws std::length_error where a product does not fit.
CallLengths callLengths(const NetworkSpec&, size_t T, size_t B);

// Cuts arrays one after the other out of a run of floats.
class ArenaCursor {
public:
  ArenaCursor(float* from, size_t floats) : next_(from), left_(floats) {}
  float* take(size_t floats) {
    if (floats > left_)
      throwInvalid("the arrays do not fit the arena");
    float* const result = next_;
    next_ += floats;
    left_ -= floats;
    return result;
  }

private:
  float* next_;
  size_t left_;
};

struct ForwardRequest {
  ForwardRequest(const Header&, const NetworkSpec&, size_t threads);
  bool has(ForwardFlag flag) const { return flags & static_cast<int32_t>(flag); }
  size_t h0() const { return has(ForwardFlag::h0) ? all.h : 0; }
  size_t c0() const { return has(ForwardFlag::c0) ? all.c : 0; }
  size_t lengths() const { return has(ForwardFlag::lengths) ? B : 0; }
  size_t y() const { return has(ForwardFlag::output) ? all.y : 0; }
  size_t inputFloats() const { return all.x + h0() + c0() + lengths(); }
  size_t floats() const { return inputFloats() + y() + all.h + all.c; }

  // The call without its arrays.
  ForwardCall empty() const;
  // The call with its arrays in the order of an arena and of a call's buffer; lib/backends/native/network.ts fills and
  // reads the arena in the same order.
  ForwardCall over(ArenaCursor) const;
  // The same without its results.
  ForwardCall inputsOver(ArenaCursor&) const;

  size_t T, B;
  int32_t flags;
  size_t threads;
  CallLengths all;
};

// Each row's length is at most T; what they are is known only where the arrays lie.
void checkLengths(const ForwardCall&);

} // namespace native_rnn
