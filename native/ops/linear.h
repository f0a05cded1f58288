// A dense layer: y = x · Wᵀ + b over rows (torch.nn.Linear).
#pragma once
#include "../matmul/packed_matrix.h"
#include "operator.h"

namespace native_rnn {

class Linear final : public Operator {
public:
  // Of in, out; made of weight (out, in), bias (out) or none, and of int8 the scales of its rows (out), or none where
  // they follow from the weights.
  static constexpr size_t sizeCount = 2, weightCount = 3;
  static size_t weightLength(const size_t* sizes, size_t index);
  static size_t packedBytes(const size_t* sizes, Precision, const Kernels&);
  Linear(const size_t* sizes, Precision, const Kernels&, void* memory);

  void pack(const float* const* weights) override;
  void unpack(float* const* weights) const override;
  size_t inputFloats(size_t rows) const override { return checkedProduct(rows, matrix_.inputs()); }
  size_t outputFloats(size_t rows) const override { return checkedProduct(rows, matrix_.outputs()); }
  void run(const float* x, size_t rows, float* y, Scratch&) const override;

private:
  const Kernels& kernels_;
  const WeightType type_;
  void* const memory_;
  PackedMatrix matrix_;
};

} // namespace native_rnn
