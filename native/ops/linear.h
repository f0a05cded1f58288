// A dense layer: y = x · Wᵀ + b over rows (torch.nn.Linear).
#pragma once
#include "../matmul/packed_matrix.h"

namespace native_rnn {

class Linear {
public:
  static size_t packedBytes(size_t in, size_t out, const Kernels&);
  // `memory`: packedBytes bytes, 64-byte aligned, that outlive the layer.
  Linear(size_t in, size_t out, const Kernels&, void* memory);
  void pack(const float* weight, const float* bias); // (out, in), (out) or null
  // x (rows, in) → y (rows, out); throws std::bad_alloc before anything is written.
  void forward(const float* x, size_t rows, float* y, Scratch&) const;

private:
  const Kernels& kernels_;
  void* const memory_;
  PackedMatrix matrix_;
};

} // namespace native_rnn
