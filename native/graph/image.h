// Images with channels last: their pixels, and which taps of a window over one lie inside of it.
#pragma once
#include "function.h"
#include "window.h"
#include <algorithm>

namespace native_rnn {

// Of a view (B, H, W, C) that is dense along C; the strides of the others in floats.
struct Image {
  size_t B, H, W, C;
  ptrdiff_t b, h, w;

  explicit Image(const View& view)
      : B(view.sizes[0]), H(view.sizes[1]), W(view.sizes[2]), C(view.sizes[3]), b(view.floatStride(0)),
        h(view.floatStride(1)), w(view.floatStride(2)) {}
  bool isRowDense() const { return W == 1 || w == ptrdiff_t(C); }
  ptrdiff_t at(size_t image, size_t row, size_t column) const {
    return ptrdiff_t(image) * b + ptrdiff_t(row) * h + ptrdiff_t(column) * w;
  }
  // `function` of all pixels of a row.
  void apply(const Function& function, float* row) const {
    if (!function)
      return;
    if (isRowDense())
      return function(row, row, W * C);
    for (size_t i = 0; i < W; i++, row += w)
      function(row, row, C);
  }
};

inline bool isImage(const View& view) { return view.rank == 4 && view.isDenseAlong(3); }

// How many taps of a window, padding counted, come before place `limit`.
inline size_t tapsBefore(const WindowAxis& axis, size_t window, size_t limit) {
  const size_t start = window * axis.stride;
  return start < limit ? std::min(axis.kernel, (limit - 1 - start) / axis.dilation + 1) : 0;
}
// Taps [first, first + count) of a window: those on an axis of `size` values.
struct Taps {
  size_t first, count;
  Taps(const WindowAxis& axis, size_t window, size_t size)
      : first(tapsBefore(axis, window, axis.pad)), count(tapsBefore(axis, window, axis.pad + size) - first) {}
};

} // namespace native_rnn
