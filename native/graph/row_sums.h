// The reduction of one row a part at a time: the 16 sums of the kernels that take a row at once, and so their bits.
#pragma once
#include "../kernels/kernels.h"
#include <algorithm>

namespace native_rnn {

// Values of a long row that are taken at a time, a multiple of 16: a quarter of a millisecond to some milliseconds.
constexpr size_t rowPart = size_t{1} << 16;

// Sums of a result: its values go to them in turn.
constexpr size_t rowSums = 16;

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

// Of the 16 sums of n results, `width` floats from one sum to the next, the results themselves, in place of the first
// ones; each is of `count` values.
inline void joinSums(const OpKernels& kernels, Reduction kind, float* totals, size_t width, size_t n, size_t count) {
  const auto both = kernels.zip[size_t(joining(kind))][size_t(Operands::both)];
  for (size_t half = rowSums / 2; half > 0; half /= 2)
    for (size_t s = 0; s < half && s + half < std::min(2 * half, count); s++)
      both(totals + s * width, totals + (s + half) * width, totals + s * width, n);
  const float length = float(count);
  if (kind == Reduction::mean)
    kernels.zip[size_t(ZipFunction::div)][size_t(Operands::oneB)](totals, &length, totals, n);
  if (kind == Reduction::l2)
    kernels.map[size_t(MapFunction::sqrt)](totals, totals, n, 0, 0);
}

// Of at least 16 values; of a kind that has a `fold`.
class RowSums {
public:
  RowSums(const OpKernels& kernels, Reduction kind) : kernels_(kernels), kind_(kind) {}
  // The next n values of the row: a multiple of 16, but of the last ones.
  void add(const float* x, size_t n) {
    const auto fold = kernels_.fold[size_t(kind_)];
    for (size_t i = 0; i < n; i += rowSums) {
      fold(x + i, totals_, std::min(rowSums, n - i), count_ == 0);
      count_ += std::min(rowSums, n - i);
    }
  }
  float result() {
    joinSums(kernels_, kind_, totals_, 1, 1, count_);
    return totals_[0];
  }

private:
  const OpKernels& kernels_;
  const Reduction kind_;
  size_t count_ = 0;
  alignas(64) float totals_[rowSums];
};

// Adds e^(x − shift) of n values; each of them also goes to y, where that is not null.
inline void addExps(const OpKernels& kernels, const float* x, float* y, size_t n, float shift, RowSums& sum) {
  constexpr size_t part = 256;
  float own[part];
  for (size_t i = 0; i < n; i += part) {
    const size_t count = std::min(part, n - i);
    float* const to = y ? y + i : own;
    kernels.zip[size_t(ZipFunction::sub)][size_t(Operands::oneB)](x + i, &shift, to, count);
    kernels.map[size_t(MapFunction::exp)](to, to, count, 0, 0);
    sum.add(to, count);
  }
}

} // namespace native_rnn
