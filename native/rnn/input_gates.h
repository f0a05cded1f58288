// The input product of a chunk of time steps: x of the rows that still run → their input gates, steps outermost.
#pragma once
#include "packed_layer.h"

namespace native_rnn {

// The rows of a batch that go through time together, and when each ends.
struct RowGroup {
  size_t T, B;
  size_t first;           // row i is row first + i of the batch, or
  const uint32_t* order;  // where not null, row order[i], the longest first
  const int32_t* lengths; // by row of the batch; null: all are T
  size_t row(size_t i) const { return order ? order[i] : first + i; }
  size_t length(size_t i) const { return lengths ? size_t(lengths[row(i)]) : T; }
  // The time of a row's step, where steps are counted from its start, or in reverse from its end.
  size_t timeOf(size_t i, size_t step, bool reverse) const { return reverse ? length(i) - 1 - step : step; }
};

// Elements of a sequence array: (t, b) begins at data + t·step + b·row.
template <class Float>
struct Strided {
  Float* data;
  ptrdiff_t step, row;
  Float* at(size_t t, size_t b) const { return data + ptrdiff_t(t) * step + ptrdiff_t(b) * row; }
};

class InputGates {
public:
  // `gathered`: room for the rows of a chunk, where `rows` has an order.
  InputGates(const PackedLayer&, const RowGroup&, bool reverse, float* gathered);

  Strided<const float> x{}; // by time step and row of the batch, or
  bool xByPosition = false; // by place in the group

  // Packed rows of steps [begin, begin + steps) of the first `active` rows, (step, row), by as few products as can be.
  void make(size_t begin, size_t steps, size_t active, float* to) const;
  // The product of `steps` steps of one row from `begin` on.
  GemmArgs ofOneRow(size_t begin, size_t steps, float* to) const;

private:
  // How the wanted rows of x lie.
  enum class Access { gathered, oneRow, allTogether, rowByRow, stepByStep };
  Access accessOf(size_t steps, size_t active) const;
  size_t xRow(size_t i) const { return xByPosition ? i : rows_.row(i); }
  const float* xAt(size_t i, size_t step) const { return x.at(rows_.timeOf(i, step, reverse_), xRow(i)); }
  ptrdiff_t xStep() const { return reverse_ ? -x.step : x.step; }
  void multiply(const float* a, ptrdiff_t aStride, float* to, size_t toStride, size_t rows) const;
  void gather(size_t begin, size_t steps, size_t active) const;

  const PackedLayer& layer_;
  const RowGroup rows_;
  const bool reverse_;
  float* const gathered_;
  const size_t packedRow_;
};

} // namespace native_rnn
