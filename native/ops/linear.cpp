// A dense layer is one product without a cell.
#include "linear.h"
#include <algorithm>
#include <cstring>

namespace native_rnn {

static PackedMatrix matrixOf(size_t in, size_t out, const Kernels& kernels, PackedArena& arena) {
  return PackedMatrix(out, 1, in, kSplitsLog2For(1, out), WeightType::f32, kernels, arena);
}

size_t Linear::packedBytes(size_t in, size_t out, const Kernels& kernels) {
  PackedArena arena;
  matrixOf(in, out, kernels, arena);
  return arena.bytes();
}

Linear::Linear(size_t in, size_t out, const Kernels& kernels, void* memory) : kernels_(kernels), memory_(memory) {
  PackedArena arena;
  matrix_ = matrixOf(in, out, kernels, arena);
}

void Linear::pack(const float* weight, const float* bias) { matrix_.pack(weight, bias, 0, memory_); }

void Linear::forward(const float* x, size_t rows, float* y, Scratch& scratch) const {
  const size_t in = matrix_.inputs(), out = matrix_.outputs(), stride = matrix_.packedRow();
  float* packedRows = scratch.floats(std::min(rows, tileScratchRows) * stride);
  for (size_t first = 0; first < rows; first += tileScratchRows) {
    const size_t count = std::min(tileScratchRows, rows - first);
    kernels_.gemm[size_t(WeightType::f32)][0](
        {matrix_.view(memory_), x + first * in, ptrdiff_t(in), packedRows, stride, count});
    for (size_t r = 0; r < count; r++)
      std::memcpy(y + (first + r) * out, packedRows + r * stride, out * sizeof(float));
  }
}

} // namespace native_rnn
