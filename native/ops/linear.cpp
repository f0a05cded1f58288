// A dense layer is one product without a cell.
#include "linear.h"
#include <algorithm>
#include <cstring>

namespace native_rnn {

static PackedMatrix matrixOf(size_t in, size_t out, const Kernels& kernels, size_t& offset) {
  return layOut(out, 1, in, kSplitsLog2For(1, out), kernels, offset);
}

size_t Linear::packedFloats(size_t in, size_t out, const Kernels& kernels) {
  size_t offset = 0;
  matrixOf(in, out, kernels, offset);
  return offset;
}

Linear::Linear(size_t in, size_t out, const Kernels& kernels, float* memory) : kernels_(kernels), memory_(memory) {
  size_t offset = 0;
  matrix_ = matrixOf(in, out, kernels, offset);
}

void Linear::pack(const float* weight, const float* bias) { matrix_.pack(weight, bias, 0, memory_); }

void Linear::forward(const float* x, size_t rows, float* y, Scratch& scratch) const {
  const size_t in = matrix_.K, out = matrix_.N, stride = matrix_.packedRow();
  float* sums = scratch.floats(std::min(rows, tileScratchRows) * stride);
  for (size_t first = 0; first < rows; first += tileScratchRows) {
    const size_t count = std::min(tileScratchRows, rows - first);
    kernels_.gemm[0]({matrix_.view(memory_), x + first * in, ptrdiff_t(in), sums, stride, count});
    for (size_t r = 0; r < count; r++)
      std::memcpy(y + (first + r) * out, sums + r * stride, out * sizeof(float));
  }
}

} // namespace native_rnn
