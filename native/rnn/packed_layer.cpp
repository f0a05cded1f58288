// A cell's matrices: all gates of the input, those of the state, and where there is a second product its own.
#include "packed_layer.h"
#include "../platform/cpu.h"

namespace native_rnn {
namespace {

// Where all weights of a step are in the first-level cache as float32, to widen them would only take time: they are
// kept as what they would be widened to, by which no bit changes. So are those of int8, on some also where they pass it
// by little: to widen one takes three operations where float32 takes one.
WeightType typeOf(const NetworkSpec& spec, size_t layer, const Kernels& kernels) {
  const WeightType type = spec.precision.packed();
  const size_t weights = spec.traits().gates * spec.hiddenSize * (spec.layerInputs(layer) + spec.outputSize());
  const bool isHalf = type == WeightType::f16 || type == WeightType::bf16;
  const size_t caches = isHalf ? 1 : type == WeightType::int8 ? kernels.widenedInt8Caches : 0;
  return weights * sizeof(float) <= caches * dataCaches().first ? WeightType::f32 : type;
}

} // namespace

PackedLayer::PackedLayer(const NetworkSpec& spec, size_t layer, size_t direction, const Kernels& kernels,
                         PackedArena& arena)
    : spec_(spec), direction_(direction), kernels_(&kernels), type_(typeOf(spec, layer, kernels)) {
  const size_t H = spec.hiddenSize, O = spec.outputSize();
  const size_t G = spec.traits().gates, recurrentGates = G - spec.traits().candidateGates;
  const int kSplitsLog2 = kSplitsLog2For(G, H, type_);
  const WeightType rounding = spec.precision.weights;
  input_ = PackedMatrix(H, G, spec.layerInputs(layer), kSplitsLog2, type_, kernels, arena, rounding);
  recurrent_ = PackedMatrix(H, recurrentGates, O, kSplitsLog2, type_, kernels, arena, rounding);
  if (hasSecondProduct())
    second_ = PackedMatrix(O, 1, H, kSplitsLog2For(1, O, type_), type_, kernels, arena, rounding);
  // Steps of a row in one function walk over parts of panels, which only a first-level cache bears.
  if (type_ == WeightType::int8Quads && !hasSecondProduct() && weightBytesPerStep() <= dataCaches().first &&
      inputs() <= mostRowStepInputs && outputs() <= mostRowStepInputs)
    rowSteps_ = kernels.dots->rowSteps[size_t(spec.cell)];
  if (spec.traits().hasPeepholes) // three gates of biases, without inputs
    peephole_ = PackedMatrix(H, 3, 0, 0, WeightType::f32, kernels, arena);
}

// Calls visit(matrix, plain weights, bias, first gate, scales) for each matrix of the layer: the one list of what lies
// in which.
template <class Float, class Visit>
void PackedLayer::forEachMatrix(const CellWeightsOf<Float>& w, const Visit& visit) const {
  Float* const none = nullptr;
  visit(input_, w.weightIh, w.biasIh, size_t(0), w.scalesIh);
  visit(recurrent_, w.weightHh, w.biasHh, size_t(0), w.scalesHh);
  if (spec_.traits().candidateGates)
    visit(second_, w.weightHh, w.biasHh, recurrent_.gates(), w.scalesHh);
  if (spec_.projSize)
    visit(second_, w.weightHr, none, size_t(0), w.scalesHr);
  if (spec_.traits().hasPeepholes)
    visit(peephole_, none, w.peephole, size_t(0), none);
}

void PackedLayer::pack(const CellWeights& w) {
  forEachMatrix(w, [&](const PackedMatrix& matrix, const float* plain, const float* bias, size_t firstGate,
                       const float* scales) { matrix.pack(plain, bias, firstGate, memory_, scales); });
}

void PackedLayer::unpack(const MutableCellWeights& w) const {
  forEachMatrix(w, [&](const PackedMatrix& matrix, float* plain, float* bias, size_t firstGate, float* scales) {
    matrix.unpack(plain, bias, firstGate, memory_, scales);
  });
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
  weights.functions = &spec_.functions[direction_];
  weights.rowSteps = rowSteps_;
  return weights;
}

} // namespace native_rnn
