// Which matrices each cell has, and where they lie.
#include "packed_layer.h"
#include <algorithm>

namespace native_rnn {
namespace {

// What a gate's activation takes, in multiplications.
constexpr double activation = 16;

// What the one of n threads that has most blocks has of a product.
double largestThreadShare(const PackedMatrix& matrix, size_t n) {
  const size_t blocks = std::max<size_t>(1, matrix.blocks);
  return double((blocks + n - 1) / n) / double(blocks);
}

} // namespace

PackedLayer::PackedLayer(const NetworkSpec& spec, size_t K, const Kernels& kernels, float* memory, size_t& offset)
    : spec_(spec), kernels_(kernels), memory_(memory) {
  const size_t H = spec.hiddenSize, O = spec.outputSize(), G = spec.traits().gates,
               candidateGates = spec.traits().candidateGates;
  input_ = layOut(H, G, K, kSplitsLog2For(G, H), kernels, offset);
  recurrent_ = layOut(H, G - candidateGates, O, kSplitsLog2For(G, H), kernels, offset);
  hasSecond_ = candidateGates > 0 || spec.projSize > 0;
  if (hasSecond_)
    second_ = layOut(O, 1, H, kSplitsLog2For(1, O), kernels, offset);
  hasPeepholes_ = spec.traits().hasPeepholes;
  if (hasPeepholes_)
    peephole_ = layOut(H, 3, 0, 0, kernels, offset);
}

double PackedLayer::macsPerStep() const {
  const size_t second = hasSecond_ ? second_.weightFloats() : 0;
  return double(weightsPerStep() + second) + activation * double(recurrent_.packedRow());
}

double PackedLayer::stepNs(const ThreadCosts& costs, size_t threads) const {
  // The input product has no part in the waiting: it is made ahead, of several steps at a time.
  double time = double(input_.weightFloats()) / double(threads) * costs.gemmNsPerMac;
  time += double(recurrent_.weightFloats()) * largestThreadShare(recurrent_, threads) * costs.gemvNsPerMac;
  if (hasSecond_)
    time += double(second_.weightFloats()) * largestThreadShare(second_, threads) * costs.gemvNsPerMac;
  // Threads are not there at the same moment: what a meeting takes by itself is half of what it costs.
  return time + 2 * costs.barrierNs * double(hasSecond_ ? 2 : 1) * double(threads - 1);
}

void PackedLayer::pack(const CellWeights& w) {
  input_.pack(w.weightIh, w.biasIh, 0, memory_);
  recurrent_.pack(w.weightHh, w.biasHh, 0, memory_);
  if (spec_.traits().candidateGates)
    second_.pack(w.weightHh, w.biasHh, recurrent_.G, memory_);
  if (spec_.projSize)
    second_.pack(w.weightHr, nullptr, 0, memory_);
  if (hasPeepholes_)
    peephole_.pack(nullptr, w.peephole, 0, memory_);
}

void PackedLayer::unpack(const MutableCellWeights& w) const {
  input_.unpack(w.weightIh, w.biasIh, 0, memory_);
  recurrent_.unpack(w.weightHh, w.biasHh, 0, memory_);
  if (spec_.traits().candidateGates)
    second_.unpack(w.weightHh, w.biasHh, recurrent_.G, memory_);
  if (spec_.projSize)
    second_.unpack(w.weightHr, nullptr, 0, memory_);
  if (hasPeepholes_)
    peephole_.unpack(nullptr, w.peephole, 0, memory_);
}

} // namespace native_rnn
