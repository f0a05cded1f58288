// The product of rows with packed weights, for the instructions that are one in the end.
#pragma once
#include "../instruction.h"
#include "../loop.h"
#include "../rows.h"

namespace native_rnn {

class Gemm final : public Instruction {
public:
  // x (…, rows, K) and y (…, rows, N), each dense along the last axis. `isPadded`: packedRow floats of each row of y
  // may be written.
  Gemm(const PackedRows&, bool isPadded, const View& x, const View& y);
  Ran run(const Run&) const override;
  size_t floats() const override { return rows_.floats(); }
  // Whether it is several products of so few rows, at most: then their weights are read once for each of them.
  bool isSeveralOf(size_t rows) const { return loop_.length <= rows && !loop_.isOneRun(); }

private:
  const PackedRows rows_;
  const View x_, y_, xRows_, yRows_;
  const Loop<2> loop_; // over rows
  bool isStraight_;
};

// Throws where rows of packedRow floats in place of y's would reach beyond its memory.
void checkPadded(const View& y, size_t packedRow, const Reader&);

} // namespace native_rnn
