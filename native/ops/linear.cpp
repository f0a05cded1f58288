// A dense layer is one product without a cell.
#include "linear.h"
#include <algorithm>
#include <cstring>

namespace native_rnn {

static PackedMatrix matrixOf(const size_t* sizes, WeightType type, const Kernels& kernels, PackedArena& arena) {
  const size_t in = sizes[0], out = sizes[1];
  return PackedMatrix(out, 1, in, kSplitsLog2For(1, out, type), type, kernels, arena);
}

size_t Linear::weightLength(const size_t* sizes, size_t index) { return index == 0 ? sizes[0] * sizes[1] : sizes[1]; }

size_t Linear::packedBytes(const size_t* sizes, Precision precision, const Kernels& kernels) {
  PackedArena arena;
  matrixOf(sizes, precision.packed(), kernels, arena);
  return arena.bytes();
}

Linear::Linear(const size_t* sizes, Precision precision, const Kernels& kernels, void* memory)
    : kernels_(kernels), type_(precision.packed()), memory_(memory) {
  PackedArena arena;
  matrix_ = matrixOf(sizes, type_, kernels, arena);
}

void Linear::pack(const float* const* weights) { matrix_.pack(weights[0], weights[1], 0, memory_, weights[2]); }

void Linear::unpack(float* const* weights) const { matrix_.unpack(weights[0], weights[1], 0, memory_, weights[2]); }

void Linear::run(const float* x, size_t rows, float* y, Scratch& scratch) const {
  const size_t in = matrix_.inputs(), out = matrix_.outputs(), stride = matrix_.packedRow();
  float* packedRows = scratch.floats(std::min(rows, tileScratchRows) * stride);
  for (size_t first = 0; first < rows; first += tileScratchRows) {
    const size_t count = std::min(tileScratchRows, rows - first);
    kernels_.gemm[size_t(type_)][0]({matrix_.view(memory_), x + first * in, ptrdiff_t(in), packedRows, stride, count});
    for (size_t r = 0; r < count; r++)
      std::memcpy(y + (first + r) * out, packedRows + r * stride, out * sizeof(float));
  }
}

} // namespace native_rnn
