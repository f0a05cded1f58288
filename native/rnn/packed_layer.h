// One recurrent layer in one direction: which packed matrices its cell has, and where they lie. Knows no threads, no
// time.
#pragma once
#include "../matmul/packed_matrix.h"
#include "../spec/network_spec.h"

namespace native_rnn {

class PackedLayer {
public:
  // `layer` and `direction`: its numbers in the network; its weights are reserved in the arena.
  PackedLayer(const NetworkSpec&, size_t layer, size_t direction, const Kernels&, PackedArena&);
  // The packed memory, which outlives the layer.
  void setMemory(void* memory) { memory_ = memory; }
  void pack(const CellWeights&);
  void unpack(const MutableCellWeights&) const;

  const Kernels& kernels() const { return *kernels_; }
  size_t inputs() const { return input_.inputs(); }
  size_t units() const { return spec_.hiddenSize; }
  size_t outputs() const { return spec_.outputSize(); }
  bool hasCellState() const { return spec_.traits().hasCellState; }
  bool hasSecondProduct() const { return spec_.traits().candidateGates > 0 || spec_.projSize > 0; }
  // Whether a step of one row makes its input gates itself.
  bool fusesInput() const {
    const CellTraits& cell = spec_.traits();
    return rowSteps_ || (cell.candidateGates == 0 && !cell.general && kernels_->fusesRowSteps[size_t(type_)]);
  }
  // Whether it may make those of later ones as well.
  bool fusesLaterInputs() const { return fusesInput() && type_ == WeightType::f32 && !input_.hasScales(); }
  const PackedMatrix& input() const { return input_; }
  const PackedMatrix& recurrent() const { return recurrent_; }
  const PackedMatrix& second() const { return second_; } // candidate or projection
  WeightType weightType() const { return type_; }
  // Weights and their bytes that a step reads, without the second product.
  size_t weightsPerStep() const { return input_.weightCount() + recurrent_.weightCount(); }
  size_t weightBytesPerStep() const { return input_.weightBytes() + recurrent_.weightBytes(); }

  PackedView inputView() const { return input_.view(memory_); }
  RecurrenceArgs::Weights recurrenceWeights() const;
  // Here, not in the .cpp file: a live step of a small layer takes no longer than some calls.
  void multiplyInput(const GemmArgs& args) const { kernels_->gemm[size_t(type_)][input_.gates() - 1](args); }
  void runSteps(const RecurrenceArgs& args) const { kernels_->recurrence[size_t(type_)][size_t(spec_.cell)](args); }

private:
  template <class Float, class Visit>
  void forEachMatrix(const CellWeightsOf<Float>&, const Visit&) const;

  NetworkSpec spec_;
  size_t direction_;
  const Kernels* kernels_;
  WeightType type_;
  RowSteps rowSteps_ = nullptr;
  void* memory_ = nullptr;
  PackedMatrix input_, recurrent_, second_, peephole_;
};

} // namespace native_rnn
