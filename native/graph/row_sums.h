// The reduction of one row a part at a time: the 16 sums of the kernels that take a row at once, and so their bits.
#pragma once
#include "../kernels/kernels.h"
#include <algorithm>

namespace native_rnn {

// Values of a long row that are taken at a time, a multiple of 16: a quarter of a millisecond to some milliseconds.
constexpr size_t rowPart = size_t{1} << 16;

// What brings two of the sums together.
inline ZipFunction joining(Reduction kind) {
  switch (kind) {
  case Reduction::max:
    return ZipFunction::max;
  case Reduction::min:
    return ZipFunction::min;
  case Reduction::prod:
    return ZipFunction::mul;
  default:
    return ZipFunction::add;
  }
}

// Of at least 16 values; of a kind that has a `fold`.
class RowSums {
public:
  static constexpr size_t sums = 16;

  RowSums(const OpKernels& kernels, Reduction kind) : kernels_(kernels), kind_(kind) {}
  // The next n values of the row: a multiple of 16, but of the last ones.
  void add(const float* x, size_t n) {
    const auto fold = kernels_.fold[size_t(kind_)];
    for (size_t i = 0; i < n; i += sums) {
      fold(x + i, totals_, std::min(sums, n - i), count_ == 0);
      count_ += std::min(sums, n - i);
    }
  }
  float result() {
    const auto both = kernels_.zip[size_t(joining(kind_))][size_t(Operands::both)];
    for (size_t half = sums / 2; half > 0; half /= 2)
      both(totals_, totals_ + half, totals_, half);
    if (kind_ == Reduction::mean)
      return totals_[0] / float(count_);
    if (kind_ == Reduction::l2)
      kernels_.map[size_t(MapFunction::sqrt)](totals_, totals_, 1, 0, 0);
    return totals_[0];
  }

private:
  const OpKernels& kernels_;
  const Reduction kind_;
  size_t count_ = 0;
  alignas(64) float totals_[sums];
};

} // namespace native_rnn
