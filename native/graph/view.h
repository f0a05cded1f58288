// Where the values of an operand lie: sizes and strides within a region of memory. Its maker has checked that every
// index stays inside.
#pragma once
#include "../protocol/instructions.h"
#include <cstdint>

namespace native_rnn {

constexpr size_t bytesOf(Element element) {
  constexpr size_t bytes[] = {4, 4, 8, 1, 1, 1, 4};
  return bytes[static_cast<size_t>(element)];
}

// Whether there is more memory than 32 bits count.
constexpr bool isWide = sizeof(size_t) > 4;

// A product, or a refusal where it is more than any memory could hold.
size_t product(size_t a, size_t b);

struct View {
  Element element;
  Region region;
  size_t offset; // bytes
  size_t rank;
  size_t sizes[mostAxes];
  ptrdiff_t strides[mostAxes]; // bytes; 0 where the size is 1

  size_t count() const;
  size_t size(size_t axis) const { return sizes[axis]; }
  // Floats, where the element is one.
  ptrdiff_t floatStride(size_t axis) const { return strides[axis] / ptrdiff_t(sizeof(float)); }
  // Whether values of the last axis follow each other.
  bool isDenseAlong(size_t axis) const { return sizes[axis] == 1 || strides[axis] == ptrdiff_t(bytesOf(element)); }
  // Whether all values follow each other.
  bool isDense() const;
  // The view of one axis less: at its first index, or of the others alone.
  View without(size_t axis) const;
  // Axes [from, to) alone.
  View axes(size_t from, size_t to) const;
  // Throws where an index reaches beyond `bytes` bytes of the region, or a value would not be aligned.
  void check(size_t bytes) const;
};

bool sameSizes(const View&, const View&);

} // namespace native_rnn
