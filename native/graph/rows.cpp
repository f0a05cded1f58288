// The tile: where the kernel writes, and what follows.
#include "rows.h"
#include <cstring>

namespace native_rnn {

namespace {
PackedMatrix matrixOf(size_t K, size_t N, WeightType type, const Kernels& kernels, PackedArena& arena) {
  return PackedMatrix(N, 1, K, kSplitsLog2For(1, N, type), type, kernels, arena);
}
} // namespace

PackedRows::PackedRows(const Reader& reader, size_t memory, size_t K, size_t N, WeightType type,
                       const Function& function)
    : kernels_(reader.surroundings.kernels), type_(type), function_(function) {
  product(K, N + 64); // no more than memory holds
  PackedArena arena;
  matrix_ = matrixOf(K, N, type, kernels_, arena);
  view_ = matrix_.view(reader.memory(memory, arena.bytes()));
}

// The kernels store whole vectors, at multiples of their size.
bool PackedRows::fits(const View& y) const {
  const ptrdiff_t vector = ptrdiff_t(kernels_.lanes * sizeof(float));
  if (y.region != Region::scratch || y.offset % size_t(vector) != 0)
    return false;
  for (size_t i = 0; i + 1 < y.rank; i++)
    if (y.strides[i] % vector != 0)
      return false;
  return true;
}

void PackedRows::run(const float* a, ptrdiff_t aStride, float* y, ptrdiff_t yStride, size_t rows, bool straight,
                     float* tile) const {
  const size_t N = outputs(), packed = packedRow(), made = straight && rows > 1 ? size_t(yStride) : packed;
  float* const to = straight ? y : tile;
  kernels_.gemm[size_t(type_)][0]({view_, a, aStride, to, made, rows});
  if (straight && made == packed) {
    if (function_)
      function_(to, to, (rows - 1) * packed + N);
    return;
  }
  for (size_t r = 0; r < rows; r++) {
    const float* const from = to + r * made;
    float* const row = y + ptrdiff_t(r) * yStride;
    if (function_)
      function_(from, row, N);
    else if (from != row)
      std::memcpy(row, from, N * sizeof(float));
  }
}

} // namespace native_rnn
