// Going through several views of the same sizes at once, in runs as long as their strides allow.
#pragma once
#include "../spec/compiler.h"
#include "view.h"
#include <array>

namespace native_rnn {

// `views` operands. Axes that lie together in all of them are one; the last is the run.
template <size_t views>
class Loop {
public:
  using Places = std::array<char*, views>;

  Loop() = default;
  RNN_NOINLINE explicit Loop(const std::array<const View*, views>& of) {
    for (size_t axis = 0; axis < of[0]->rank; axis++)
      if (of[0]->sizes[axis] != 1)
        push(of, axis);
    if (rank_ == 0)
      rank_ = 1, sizes_[0] = 1; // one value
    length = sizes_[rank_ - 1];
    for (size_t v = 0; v < views; v++)
      step[v] = strides_[rank_ - 1][v];
  }

  size_t length = 1;          // values of a run
  ptrdiff_t step[views] = {}; // bytes from one to the next

  bool isOneRun() const { return rank_ <= 1; }

  // Calls body(places) for the first values of each run; where it returns false, ends.
  template <class Body>
  bool forEachWhile(Places at, const Body& body) const {
    size_t index[mostAxes] = {};
    do {
      if (!body(static_cast<const Places&>(at)))
        return false;
    } while (rank_ > 1 && advance(index, at));
    return true;
  }
  template <class Body>
  void forEach(const Places& at, const Body& body) const {
    forEachWhile(at, [&](const Places& places) {
      body(places);
      return true;
    });
  }

private:
  // To the next run; false where there is none.
  RNN_NOINLINE bool advance(size_t (&index)[mostAxes], Places& at) const {
    size_t axis = rank_ - 1;
    for (;; axis--) {
      if (axis == 0)
        return false;
      if (++index[axis - 1] < sizes_[axis - 1])
        break;
      index[axis - 1] = 0;
      for (size_t v = 0; v < views; v++)
        at[v] -= strides_[axis - 1][v] * ptrdiff_t(sizes_[axis - 1] - 1);
    }
    for (size_t v = 0; v < views; v++)
      at[v] += strides_[axis - 1][v];
    return true;
  }
  void push(const std::array<const View*, views>& of, size_t axis) {
    bool joins = rank_ > 0;
    for (size_t v = 0; v < views && joins; v++)
      joins = strides_[rank_ - 1][v] == of[v]->strides[axis] * ptrdiff_t(of[0]->sizes[axis]);
    rank_ += !joins;
    sizes_[rank_ - 1] = joins ? sizes_[rank_ - 1] * of[0]->sizes[axis] : of[0]->sizes[axis];
    for (size_t v = 0; v < views; v++)
      strides_[rank_ - 1][v] = of[v]->strides[axis];
  }

  size_t rank_ = 0;
  size_t sizes_[mostAxes] = {};
  ptrdiff_t strides_[mostAxes][views] = {};
};

} // namespace native_rnn
