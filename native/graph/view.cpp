// The bounds of views; no product or sum here can overflow, whatever the numbers are.
#include "view.h"
#include "../protocol/checks.h"
#include <algorithm>

namespace native_rnn {

namespace {
// Small enough that bytes of a few such numbers of values can be added.
constexpr uint64_t mostValues = uint64_t{1} << (isWide ? 48 : 28), mostBytes = uint64_t{1} << 48;

uint64_t productUpTo(uint64_t most, uint64_t a, uint64_t b) {
  if (a && b > most / a)
    throwInvalid("a program's sizes are too large");
  return a * b;
}
} // namespace

size_t product(size_t a, size_t b) { return static_cast<size_t>(productUpTo(mostValues, a, b)); }

size_t View::count() const {
  size_t count = 1;
  for (size_t axis = 0; axis < rank; axis++)
    count = product(count, sizes[axis]);
  return count;
}

bool View::isDense() const {
  ptrdiff_t dense = ptrdiff_t(bytesOf(element));
  for (size_t axis = rank; axis-- > 0; dense *= ptrdiff_t(sizes[axis]))
    if (sizes[axis] != 1 && strides[axis] != dense)
      return false;
  return true;
}

View View::without(size_t axis) const {
  View rest = *this;
  std::copy(sizes + axis + 1, sizes + rank, rest.sizes + axis);
  std::copy(strides + axis + 1, strides + rank, rest.strides + axis);
  rest.rank--;
  return rest;
}

View View::axes(size_t from, size_t to) const {
  View some = *this;
  std::copy(sizes + from, sizes + to, some.sizes);
  std::copy(strides + from, strides + to, some.strides);
  some.rank = to - from;
  return some;
}

// The values of lowest and highest address are those at the ends of each axis.
void View::check(size_t bytes) const {
  count();
  uint64_t below = 0, above = bytesOf(element);
  for (size_t axis = 0; axis < rank; axis++) {
    const size_t step = strides[axis] < 0 ? size_t(-strides[axis]) : size_t(strides[axis]);
    uint64_t& side = strides[axis] < 0 ? below : above;
    side += productUpTo(mostBytes, step, sizes[axis] - 1);
  }
  if (offset % bytesOf(element) != 0)
    throwInvalid("a view is not aligned");
  if (offset > bytes || above > bytes - offset || below > offset)
    throwInvalid("a view reaches beyond its memory");
}

bool sameSizes(const View& a, const View& b) {
  return a.rank == b.rank && std::equal(a.sizes, a.sizes + a.rank, b.sizes);
}

} // namespace native_rnn
