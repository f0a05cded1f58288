// Rows of a batch that lie by slot in an array of JavaScript's, and side by side in a value of a program: copied there
// or back, many at a time. Knows no Node and no threads.
#pragma once
#include "checks.h"
#include <cstdint>
#include <cstring>

namespace native_rnn {

struct SlotRows {
  // A row of the value is `outer` stretches of `inner` bytes, those of all rows side by side; in its slot they follow
  // each other. `outer` 0: one stretch, which is that of all rows.
  size_t outer, inner, rows;
  char* value;
  char* slots;
  size_t slotCount;
  const int32_t* order; // the slots of the first rows
  size_t stride;        // integers from one to the next

  // The slots of `count` rows; the value's other rows get that of the first. Throws before anything is written.
  void gather(size_t count) const {
    if (count == 0 || count > rows)
      throwInvalid("the batch has no rows or too many");
    for (size_t row = 0; row < count; row++)
      if (static_cast<size_t>(order[row * stride]) >= slotCount)
        throwInvalid("a row of the batch is out of range");
    for (size_t row = 0; row < rows; row++)
      move(row, order[row < count ? row * stride : 0], true);
  }
  // Only rows whose slot is not negative.
  void scatter(size_t count) const {
    if (count > rows)
      throwInvalid("the batch has too many rows");
    for (size_t row = 0; row < count; row++)
      if (order[row * stride] >= 0 && static_cast<size_t>(order[row * stride]) >= slotCount)
        throwInvalid("a row of the batch is out of range");
    for (size_t row = 0; row < count; row++)
      if (order[row * stride] >= 0)
        move(row, order[row * stride], false);
  }

private:
  void move(size_t row, size_t slot, bool toValue) const {
    char* const own = slots + slot * (outer ? outer : 1) * inner;
    for (size_t part = 0; part < (outer ? outer : 1); part++) {
      char* const shared = value + (outer ? (part * rows + row) * inner : 0);
      if (toValue)
        std::memcpy(shared, own + part * inner, inner);
      else
        std::memcpy(own + part * inner, shared, inner);
    }
  }
};

} // namespace native_rnn
