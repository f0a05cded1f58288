// How long each part of a workspace is, and the order in which they lie.
#include "workspace.h"
#include <algorithm>

namespace native_rnn {
namespace {

// Input gates made at a time: a few groups of rows, little enough to leave the cache to the weights.
constexpr size_t chunkFloats = 32768;
constexpr size_t minChunkRows = 64;
static_assert(3 * maxOverlapRows <= minChunkRows,
              "the first steps' input gates, at most two times as many, and those made beside them");

// One line longer than they need, so that rows do not compete for the same cache sets.
size_t stateRow(size_t units, size_t lanes) { return aligned(roundUp(units, lanes)) + 16; }

size_t widestBlock(const Kernels& kernels) {
  size_t most = 0;
  for (size_t G = 1; G <= 4; G++)
    for (size_t kSplitsLog2 = 0; kSplitsLog2 < 2; kSplitsLog2++)
      most = std::max(most, G * kernels.blockPanels[G - 1][kSplitsLog2].single * kernels.lanes);
  return most;
}

// Calls part(pointer, floats) for each part of a workspace.
template <class Part>
void forEachPart(const Workspace::Sizes& sizes, const Part& part) {
  const size_t B = sizes.B;
  part(&Workspace::h0, B * sizes.hRow);
  part(&Workspace::h1, B * sizes.hRow);
  part(&Workspace::c, B * sizes.unitRow);
  part(&Workspace::secondInput, B * sizes.unitRow);
  part(&Workspace::updateGate, B * sizes.unitRow);
  part(&Workspace::inputGates, sizes.inputGatesFloats);
  part(&Workspace::gatheredX, sizes.gatheredFloats);
  part(&Workspace::tileScratch, sizes.tileScratchFloats);
  part(&Workspace::outputRows, B * sizeof(float*) / sizeof(float));
}

} // namespace

Workspace::Sizes::Sizes(const PackedLayer& layer, size_t B, size_t T, bool gathersX) : B(B) {
  const size_t lanes = layer.kernels().lanes;
  hRow = stateRow(layer.outputs(), lanes);
  unitRow = stateRow(layer.units(), lanes);
  inputGatesRow = layer.input().packedRow();
  const size_t rows = std::min(T * B, std::max({B, minChunkRows, chunkFloats / inputGatesRow}));
  chunkSteps = rows / std::max<size_t>(B, 1);
  inputGatesFloats = rows * inputGatesRow;
  gatheredFloats = gathersX ? rows * layer.inputs() : 0;
  tileScratchFloats = tileScratchRows * widestBlock(layer.kernels());
}

size_t Workspace::Sizes::floats() const {
  size_t total = 0;
  forEachPart(*this, [&](auto, size_t floats) { total += aligned(floats); });
  return total;
}

Workspace::Workspace(const Sizes& sizes, float* memory) {
  float* const states = memory;
  forEachPart(sizes, [&](auto pointer, size_t floats) {
    this->*pointer = reinterpret_cast<std::remove_reference_t<decltype(this->*pointer)>>(memory);
    memory += aligned(floats);
  });
  // Padding lanes are read by whole vectors and must hold numbers.
  std::fill(states, inputGates, 0.0f);
}

} // namespace native_rnn
