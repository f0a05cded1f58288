// Some axes of floats taken as one row: where they lie together as they are, else by way of an array.
#pragma once
#include "elements.h"
#include "loop.h"

namespace native_rnn {

class Line {
public:
  Line() = default;
  explicit Line(const View& axes) : count_(axes.count()), isDense_(axes.isDense()), loop_({&axes}) {}
  size_t count() const { return count_; }
  bool isDense() const { return isDense_; }
  // Floats of an array that it needs.
  size_t floats() const { return isDense_ ? 0 : count_; }
  // The row that begins there; `room` has floats() floats.
  const float* read(char* at, float* room) const {
    if (isDense_)
      return reinterpret_cast<const float*>(at);
    float* to = room;
    loop_.forEach({at}, [&](const auto& places) {
      gatherFloats(places[0], loop_.step[0], to, loop_.length);
      to += loop_.length;
    });
    return room;
  }
  // Where to make the row: there, or in the array, from which write() brings it there.
  float* target(char* at, float* room) const { return isDense_ ? reinterpret_cast<float*>(at) : room; }
  void write(const float* row, char* at) const {
    if (!isDense_)
      loop_.forEach({at}, [&](const auto& places) {
        scatterFloats(row, places[0], loop_.step[0], loop_.length);
        row += loop_.length;
      });
  }

private:
  size_t count_ = 0;
  bool isDense_ = true;
  Loop<1> loop_;
};

} // namespace native_rnn
