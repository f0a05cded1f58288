// A cell's matrices: all gates of the input, those of the state, and where there is a second product its own.
#include "packed_layer.h"

namespace native_rnn {

PackedLayer::PackedLayer(const NetworkSpec& spec, size_t layer, const Kernels& kernels, PackedArena& arena)
    : spec_(spec), kernels_(&kernels) {
  const size_t H = spec.hiddenSize, O = spec.outputSize();
  const size_t G = spec.traits().gates, recurrentGates = G - spec.traits().candidateGates;
  const int kSplitsLog2 = kSplitsLog2For(G, H);
  input_ = PackedMatrix(H, G, spec.layerInputs(layer), kSplitsLog2, type_, kernels, arena);
  recurrent_ = PackedMatrix(H, recurrentGates, O, kSplitsLog2, type_, kernels, arena);
  if (hasSecondProduct())
    second_ = PackedMatrix(O, 1, H, kSplitsLog2For(1, O), type_, kernels, arena);
  if (spec.traits().hasPeepholes) // three gates of biases, without inputs
    peephole_ = PackedMatrix(H, 3, 0, 0, WeightType::f32, kernels, arena);
}

void PackedLayer::pack(const CellWeights& w) {
  input_.pack(w.weightIh, w.biasIh, 0, memory_);
  recurrent_.pack(w.weightHh, w.biasHh, 0, memory_);
  if (spec_.traits().candidateGates)
    second_.pack(w.weightHh, w.biasHh, recurrent_.gates(), memory_);
  if (spec_.projSize)
    second_.pack(w.weightHr, nullptr, 0, memory_);
  if (spec_.traits().hasPeepholes)
    peephole_.pack(nullptr, w.peephole, 0, memory_);
}

void PackedLayer::unpack(const MutableCellWeights& w) const {
  input_.unpack(w.weightIh, w.biasIh, 0, memory_);
  recurrent_.unpack(w.weightHh, w.biasHh, 0, memory_);
  if (spec_.traits().candidateGates)
    second_.unpack(w.weightHh, w.biasHh, recurrent_.gates(), memory_);
  if (spec_.projSize)
    second_.unpack(w.weightHr, nullptr, 0, memory_);
  if (spec_.traits().hasPeepholes)
    peephole_.unpack(nullptr, w.peephole, 0, memory_);
}

bool PackedLayer::fusesInput() const {
  return spec_.traits().candidateGates == 0 && kernels_->fusesRowSteps[size_t(type_)];
}

RecurrenceArgs::Weights PackedLayer::recurrenceWeights() const {
  RecurrenceArgs::Weights weights{};
  weights.recurrent = recurrent_.view(memory_);
  if (spec_.traits().candidateGates)
    weights.candidate = second_.view(memory_);
  weights.projects = spec_.projSize > 0;
  if (weights.projects)
    weights.projection = second_.view(memory_);
  if (spec_.traits().hasPeepholes)
    weights.peephole = peephole_.view(memory_).bias;
  return weights;
}

void PackedLayer::multiplyInput(const GemmArgs& args) const { kernels_->gemm[size_t(type_)][input_.gates() - 1](args); }

void PackedLayer::runSteps(const RecurrenceArgs& args) const {
  kernels_->recurrence[size_t(type_)][size_t(spec_.cell)](args);
}

} // namespace native_rnn
