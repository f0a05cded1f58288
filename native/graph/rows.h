// Rows times a packed matrix, a tile at a time: product, function and the way to where the rows are wanted, while the
// tile is in a cache. Knows no shapes.
#pragma once
#include "../matmul/packed_matrix.h"
#include "reader.h"

namespace native_rnn {

// A packed matrix as the operator `linear` packs it, and what is done to each product.
class PackedRows {
public:
  // `memory`: the number of the packed weights.
  PackedRows(const Reader&, size_t memory, size_t K, size_t N, WeightType, const Function&);
  size_t inputs() const { return matrix_.inputs(); }
  size_t outputs() const { return matrix_.outputs(); }
  size_t packedRow() const { return matrix_.packedRow(); }
  // Floats of memory that run() needs.
  size_t floats() const { return tileScratchRows * packedRow(); }
  // Whether the rows of a view, its last axis, begin where the kernels can write. How far they are apart is not asked.
  bool fits(const View& y) const;
  // At most tileScratchRows rows, aStride and yStride floats apart. `straight`: to rows that fit, at least packedRow()
  // floats apart.
  void run(const float* a, ptrdiff_t aStride, float* y, ptrdiff_t yStride, size_t rows, bool straight,
           float* tile) const;

private:
  const Kernels& kernels_;
  const WeightType type_;
  const Function function_;
  PackedMatrix matrix_;
  PackedView view_{};
};

// The numbers of a matrix, K and N, as the operator that packs it allows them.
constexpr size_t largestMatrixSize = size_t{1} << 20;

} // namespace native_rnn
