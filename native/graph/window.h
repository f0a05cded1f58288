// The window of a convolution or pool over two axes, as its numbers say it, and where it meets its input.
#pragma once
#include "reader.h"

namespace native_rnn {

// Along one axis.
struct WindowAxis {
  size_t kernel, stride, dilation, pad; // pad: before the first value
  // Where a tap of a window lies in the input; negative or beyond its end: in the padding.
  ptrdiff_t at(size_t window, size_t tap) const { return ptrdiff_t(window * stride + tap * dilation) - ptrdiff_t(pad); }
  // More than the place of any tap of so many windows.
  uint64_t reach(size_t windows) const { return uint64_t(windows) * stride + uint64_t(kernel) * dilation + pad; }
  // Whether none of so many windows leaves an input of that size.
  bool isInside(size_t windows, size_t size) const {
    return pad == 0 && (windows - 1) * stride + (kernel - 1) * dilation < size;
  }
};

struct Window {
  WindowAxis y, x;

  // kernel, strides, dilations, pads before: two numbers each, y first.
  explicit Window(Reader& reader) {
    size_t numbers[8];
    for (size_t i = 0; i < 8; i++)
      numbers[i] = reader.whole(i < 6, most);
    y = {numbers[0], numbers[2], numbers[4], numbers[6]};
    x = {numbers[1], numbers[3], numbers[5], numbers[7]};
  }
  // Throws where so many windows could be beyond what sums hold.
  void check(size_t windowsY, size_t windowsX) const {
    require(windowsY <= mostWindows && windowsX <= mostWindows);
    require(y.reach(windowsY) <= mostReach && x.reach(windowsX) <= mostReach);
  }
  // How many taps one has.
  size_t taps() const { return product(y.kernel, x.kernel); }

private:
  static constexpr size_t most = size_t{1} << 24;
  static constexpr uint64_t mostWindows = uint64_t{1} << 32, mostReach = uint64_t{1} << (isWide ? 60 : 30);
};

} // namespace native_rnn
