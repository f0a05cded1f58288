// Copying a run of values, which have a size and no type: floats that are NaN keep their bits.
#pragma once
#include "../elements.h"

namespace native_rnn {

template <class Bits>
void copyRun(char* x, ptrdiff_t xStep, char* y, ptrdiff_t yStep, size_t n) {
  for (size_t i = 0; i < n; i++, x += xStep, y += yStep)
    valueAt<Bits>(y) = valueAt<Bits>(x);
}
template <class Bits>
void moveRun(char* x, ptrdiff_t, char* y, ptrdiff_t, size_t n) {
  std::memmove(y, x, n * sizeof(Bits));
}
using CopyRun = void (*)(char* x, ptrdiff_t xStep, char* y, ptrdiff_t yStep, size_t n);

template <class Bits>
CopyRun copyOf(ptrdiff_t xStep, ptrdiff_t yStep) {
  return xStep == sizeof(Bits) && yStep == sizeof(Bits) ? moveRun<Bits> : copyRun<Bits>;
}

// For values of so many bytes.
inline CopyRun copyOf(size_t bytes, ptrdiff_t xStep, ptrdiff_t yStep) {
  switch (bytes) {
  case 8:
    return copyOf<uint64_t>(xStep, yStep);
  case 4:
    return copyOf<uint32_t>(xStep, yStep);
  default:
    return copyOf<uint8_t>(xStep, yStep);
  }
}

} // namespace native_rnn
