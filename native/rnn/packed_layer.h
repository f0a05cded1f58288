// One recurrent layer in one direction: its packed weights.
#pragma once
#include "../matmul/packed_matrix.h"
#include "network.h"
#include "thread_cost.h"

namespace native_rnn {

// Where the packed matrices of a layer lie.
class PackedLayer {
public:
  // K: inputs of this layer. `offset`: where its weights begin in the network's memory; moved past them.
  PackedLayer(const NetworkSpec& spec, size_t K, const Kernels& kernels, float* memory, size_t& offset);
  void pack(const CellWeights&);
  void unpack(const MutableCellWeights&) const;

  const Kernels& kernels() const { return kernels_; }
  CellKind cell() const { return spec_.cell; }
  size_t inputs() const { return input_.K; }
  size_t units() const { return spec_.hiddenSize; }
  size_t outputs() const { return spec_.outputSize(); }
  // Floats that a step reads.
  size_t weightsPerStep() const { return input_.weightFloats() + recurrent_.weightFloats(); }
  // Multiplications of a step of one row, activations counted as what they take.
  double macsPerStep() const;
  // Nanoseconds of a step of a single row by these costs, where so many threads share its units.
  double stepNs(const ThreadCosts&, size_t threads) const;
  bool hasCellState() const { return spec_.traits().hasCellState; }

private:
  friend class Recurrence;
  const NetworkSpec spec_;
  const Kernels& kernels_;
  float* const memory_;
  PackedMatrix input_, recurrent_, second_, peephole_;
  bool hasSecond_, hasPeepholes_;
};

} // namespace native_rnn
