// A pass: its memory, its states, and time cut into chunks whose input sums are computed ahead.
#include "recurrence.h"
#include "../platform/cpu.h"
#include <algorithm>
#include <cstring>

namespace native_rnn {
namespace {

// Input sums computed ahead: a few groups of rows, little enough to leave the cache to the weights.
constexpr size_t inputGateFloats = 32768;
constexpr size_t minInputGateRows = 64;
static_assert(3 * maxOverlapRows <= minInputGateRows,
              "the first steps' sums, at most two times as many, and those made ahead");

// Floats of weights that any first-level cache holds: below, a step gains nothing from turning around.
constexpr size_t minWeightsToReverse = 6144;

// Whether a single row's steps should take tiles of later input sums along: where its weights pass the first-level
// cache (several blocks), but lie in a cache, of which others may use a good part: a tile's weights do not lie in a
// row, which is slow from main memory. And what of a tile is longer than the recurrent sums beside it is alone, and
// slow.
bool overlapPays(const PackedView& input, const PackedView& first, size_t weightBytes) {
  const bool beyondFirstLevel = first.blocks - first.tailHalf > 1 && first.kSplitsLog2 == 0;
  return beyondFirstLevel && weightBytes <= dataCaches().last / 4 && input.K <= 4 * first.K;
}

// State rows are one line longer than they need, so that rows do not compete for the same cache sets.
size_t rowFloats(size_t units, size_t lanes) { return aligned(roundUp(units, lanes)) + 16; }

// Rows of input sums that a pass keeps; never falls as B grows.
size_t inputGateRows(size_t B, size_t T, size_t packedRow) {
  return std::min(T * B, std::max({B, minInputGateRows, inputGateFloats / packedRow}));
}

// What a pass keeps in its memory, in this order; one list for its size and for its pointers.
template <class Take>
void layOutWorkspace(const PackedLayer& layer, size_t B, size_t sums, size_t gathered, size_t packedRow,
                     size_t widestBlock, size_t lanes, const Take& take) {
  const size_t unitRow = rowFloats(layer.units(), lanes), outputRow = rowFloats(layer.outputs(), lanes);
  take(0, B * outputRow);
  take(1, B * outputRow);
  take(2, B * unitRow);
  take(3, B * unitRow);
  take(4, B * unitRow);
  take(5, sums * packedRow);
  take(6, gathered * layer.inputs());
  take(7, tileScratchRows * widestBlock);
  take(8, B * sizeof(float*) / sizeof(float));
}

size_t widestBlock(const Kernels& kernels) {
  size_t most = 0;
  for (size_t G = 1; G <= 4; G++)
    for (size_t partials = 0; partials < 2; partials++)
      most = std::max(most, G * kernels.blockPanels[G - 1][partials].single * kernels.lanes);
  return most;
}

// Copies the state of rows [begin, end) to where the batch keeps it.
void storeRows(const RowGroup& rows, size_t begin, size_t end, const float* from, size_t stride, size_t width,
               float* to) {
  for (size_t i = begin; i < end; i++)
    std::memcpy(to + rows.row(i) * width, from + i * stride, width * sizeof(float));
}

} // namespace

size_t Recurrence::floats(const PackedLayer& layer, size_t B, size_t T, bool ordered) {
  const size_t packedRow = layer.input_.packedRow(), lanes = layer.kernels_.lanes,
               sums = inputGateRows(B, T, packedRow);
  size_t total = 0;
  layOutWorkspace(layer, B, sums, ordered ? sums : 0, packedRow, widestBlock(layer.kernels_), lanes,
                  [&](int, size_t count) { total += aligned(count); });
  return total;
}

Recurrence::Recurrence(const PackedLayer& layer, const RowGroup& rows, bool reverse, float* memory)
    : layer_(layer), rows_(rows), reverse_(reverse), memory_(memory) {
  const Kernels& kernels = layer.kernels_;
  const size_t packedRow = layer.input_.packedRow();
  const size_t sums = inputGateRows(rows.B, rows.T, packedRow);
  chunkSteps_ = sums / std::max<size_t>(rows.B, 1);
  float* parts[9];
  layOutWorkspace(layer, rows.B, sums, rows.order ? sums : 0, packedRow, widestBlock(kernels), kernels.lanes,
                  [&](int i, size_t count) {
                    parts[i] = memory;
                    memory += aligned(count);
                  });
  // Padding lanes are read by whole vectors and must hold numbers.
  std::fill(memory_, parts[5], 0.0f);
  inputGates_ = parts[5];
  gathered_ = parts[6];
  outputRows_ = reinterpret_cast<float**>(parts[8]);
  inputGemm_ = {layer.input_.view(layer.memory_), nullptr, 0, inputGates_, packedRow, 0};
  args_.inputMatrix = inputGemm_.matrix;
  args_.recurrent = layer.recurrent_.view(layer.memory_);
  if (layer.hasSecond_)
    args_.second = layer.second_.view(layer.memory_);
  args_.projects = layer.spec_.projSize > 0;
  args_.outputs = layer.outputs();
  args_.inputGates = inputGates_;
  args_.inputGatesRow = packedRow;
  if (layer.hasPeepholes_)
    args_.peephole = layer.memory_ + layer.peephole_.biasOffset;
  args_.h[0] = parts[0];
  args_.h[1] = parts[1];
  args_.hStride = rowFloats(layer.outputs(), kernels.lanes);
  args_.c = parts[2];
  args_.secondInput = parts[3];
  args_.updateGate = parts[4];
  args_.unitStride = rowFloats(layer.units(), kernels.lanes);
  args_.tileScratch = parts[7];
  args_.threadCount = 1;
  reverses_ = layer.weightsPerStep() > minWeightsToReverse;
  fusesInput_ = layer.spec_.traits().candidateGates == 0;
  const bool pays = overlapPays(args_.inputMatrix, args_.recurrent, layer.weightsPerStep() * sizeof(float));
  aheadRows_ = pays ? kernels.overlapRows : 0;
}

void Recurrence::setState(const float* h, const float* c) {
  const auto set = [&](const float* from, size_t width, float* to, size_t stride) {
    for (size_t i = 0; i < rows_.B; i++)
      if (from)
        std::memcpy(to + i * stride, from + rows_.row(i) * width, width * sizeof(float));
      else
        std::fill_n(to + i * stride, width, 0.0f);
  };
  set(h, layer_.outputs(), args_.h[0], args_.hStride);
  if (layer_.hasCellState())
    set(c, layer_.units(), args_.c, args_.unitStride);
}

void Recurrence::getState(float* h, float* c) const {
  if (h)
    storeRows(rows_, 0, rows_.B, args_.h[0], args_.hStride, layer_.outputs(), h);
  if (c && layer_.hasCellState())
    storeRows(rows_, 0, rows_.B, args_.c, args_.unitStride, layer_.units(), c);
}

// Rows are ordered by length, the longest first: those that still run at a step are the first ones.
size_t Recurrence::activeAt(size_t step) const {
  if (!rows_.lengths)
    return step < rows_.T ? rows_.B : 0;
  size_t active = rows_.B;
  while (active > 0 && rows_.length(active - 1) <= step)
    active--;
  return active;
}

void Recurrence::advance(size_t begin, size_t end, float* hn, float* cn) {
  size_t active = activeAt(begin);
  for (size_t s = begin; s < end && active > 0;) {
    // Up to the next row's end the same rows run.
    const size_t stop = std::min(end, rows_.length(active - 1));
    if (active == 1 && aheadRows_ > 0 && stop - s >= 3 * aheadRows_) {
      runOverlapped(s, stop);
      s = stop;
    }
    while (s < stop && !isCancelled()) {
      const size_t steps = std::min(forkJoin ? std::min(chunkSteps_, stepsPerRound()) : chunkSteps_, stop - s);
      runSteps(s, steps, active);
      s += steps;
    }
    if (isCancelled())
      return;
    const size_t still = activeAt(s);
    if (hn)
      storeRows(rows_, still, active, args_.h[0], args_.hStride, layer_.outputs(), hn);
    if (cn)
      storeRows(rows_, still, active, args_.c, args_.unitStride, layer_.units(), cn);
    active = still;
  }
}

} // namespace native_rnn
