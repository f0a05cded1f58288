// A pass: its memory, its states, and time cut into chunks whose input sums are computed ahead.
#include "recurrence.h"
#include "../platform/cpu.h"
#include <algorithm>
#include <cstring>

namespace native_rnn {
namespace {

// Input sums computed ahead: a few groups of rows, little enough to leave the cache to the weights.
constexpr size_t sumsFloats = 32768;
constexpr size_t sumsRows = 64;
static_assert(3 * mostAheadRows <= sumsRows, "the first steps' sums, at most two times as many, and those made ahead");

// Floats of weights that any first-level cache holds: below, a step gains nothing from turning around.
constexpr size_t worthTurning = 6144;

// Whether a single row's steps should take tiles of later input sums along: where its weights pass the first-level
// cache (several blocks), but lie in a cache, of which others may use a good part: a tile's weights do not lie in a
// row, which is slow from main memory. And what of a tile is longer than the recurrent sums beside it is alone, and
// slow.
bool aheadPays(const Product& input, const Product& first, size_t weightBytes) {
  const bool beyondFirstLevel = first.blocks - first.half > 1 && first.partials == 0;
  return beyondFirstLevel && weightBytes <= dataCaches().last / 4 && input.K <= 4 * first.K;
}

// State rows are one line longer than they need, so that rows do not compete for the same cache sets.
size_t rowFloats(size_t units, size_t lanes) { return aligned(roundUp(units, lanes)) + 16; }

// Rows of input sums that a pass keeps; never falls as B grows.
size_t keptSums(size_t B, size_t T, size_t packedRow) {
  return std::min(T * B, std::max({B, sumsRows, sumsFloats / packedRow}));
}

// What a pass keeps in its memory, in this order; one list for its size and for its pointers.
template <class Take>
void arrange(const Layer& layer, size_t B, size_t sums, size_t gathered, size_t packedRow, size_t widestBlock,
             size_t lanes, const Take& take) {
  const size_t unitRow = rowFloats(layer.units(), lanes), outputRow = rowFloats(layer.outputs(), lanes);
  take(0, B * outputRow);
  take(1, B * outputRow);
  take(2, B * unitRow);
  take(3, B * unitRow);
  take(4, B * unitRow);
  take(5, sums * packedRow);
  take(6, gathered * layer.inputs());
  take(7, carryRows * widestBlock);
  take(8, B * sizeof(float*) / sizeof(float));
}

size_t widestBlock(const Kernels& kernels) {
  size_t most = 0;
  for (size_t G = 1; G <= 4; G++)
    for (size_t partials = 0; partials < 2; partials++)
      most = std::max(most, G * kernels.panels[G - 1][partials].only * kernels.lanes);
  return most;
}

// Copies the state of rows [begin, end) to where the batch keeps it.
void storeRows(const Rows& rows, size_t begin, size_t end, const float* from, size_t stride, size_t width, float* to) {
  for (size_t i = begin; i < end; i++)
    std::memcpy(to + rows.row(i) * width, from + i * stride, width * sizeof(float));
}

} // namespace

size_t Pass::floats(const Layer& layer, size_t B, size_t T, bool ordered) {
  const size_t packedRow = layer.input_.packedRow(), lanes = layer.kernels_.lanes, sums = keptSums(B, T, packedRow);
  size_t total = 0;
  arrange(layer, B, sums, ordered ? sums : 0, packedRow, widestBlock(layer.kernels_), lanes,
          [&](int, size_t count) { total += aligned(count); });
  return total;
}

Pass::Pass(const Layer& layer, const Rows& rows, bool reverse, float* memory)
    : layer_(layer), rows_(rows), reverse_(reverse), memory_(memory) {
  const Kernels& kernels = layer.kernels_;
  const size_t packedRow = layer.input_.packedRow();
  const size_t sums = keptSums(rows.B, rows.T, packedRow);
  chunk_ = sums / std::max<size_t>(rows.B, 1);
  float* parts[9];
  arrange(layer, rows.B, sums, rows.order ? sums : 0, packedRow, widestBlock(kernels), kernels.lanes,
          [&](int i, size_t count) {
            parts[i] = memory;
            memory += aligned(count);
          });
  // Padding lanes are read by whole vectors and must hold numbers.
  std::fill(memory_, parts[5], 0.0f);
  sums_ = parts[5];
  gathered_ = parts[6];
  yRows_ = reinterpret_cast<float**>(parts[8]);
  product_ = {layer.input_.product(layer.memory_), nullptr, 0, sums_, packedRow, 0};
  run_.inputProduct = product_.product;
  run_.first = layer.first_.product(layer.memory_);
  if (layer.hasSecond_)
    run_.second = layer.second_.product(layer.memory_);
  run_.projects = layer.spec_.projSize > 0;
  run_.outputs = layer.outputs();
  run_.x = sums_;
  run_.xRow = packedRow;
  if (layer.hasPeepholes_)
    run_.peephole = layer.memory_ + layer.peephole_.start;
  run_.h[0] = parts[0];
  run_.h[1] = parts[1];
  run_.hStride = rowFloats(layer.outputs(), kernels.lanes);
  run_.c = parts[2];
  run_.between = parts[3];
  run_.update = parts[4];
  run_.unitStride = rowFloats(layer.units(), kernels.lanes);
  run_.carry = parts[7];
  run_.shares = 1;
  turns_ = layer.weights() > worthTurning;
  fuses_ = layer.spec_.cell != CellKind::gruResetBefore;
  const bool pays = aheadPays(run_.inputProduct, run_.first, layer.weights() * sizeof(float));
  aheadRows_ = pays ? kernels.aheadRows : 0;
}

void Pass::setState(const float* h, const float* c) {
  const auto set = [&](const float* from, size_t width, float* to, size_t stride) {
    for (size_t i = 0; i < rows_.B; i++)
      if (from)
        std::memcpy(to + i * stride, from + rows_.row(i) * width, width * sizeof(float));
      else
        std::fill_n(to + i * stride, width, 0.0f);
  };
  set(h, layer_.outputs(), run_.h[0], run_.hStride);
  if (layer_.hasCellState())
    set(c, layer_.units(), run_.c, run_.unitStride);
}

void Pass::getState(float* h, float* c) const {
  if (h)
    storeRows(rows_, 0, rows_.B, run_.h[0], run_.hStride, layer_.outputs(), h);
  if (c && layer_.hasCellState())
    storeRows(rows_, 0, rows_.B, run_.c, run_.unitStride, layer_.units(), c);
}

// Rows are ordered by length, the longest first: those that still run at a step are the first ones.
size_t Pass::activeAt(size_t step) const {
  if (!rows_.lengths)
    return step < rows_.T ? rows_.B : 0;
  size_t active = rows_.B;
  while (active > 0 && rows_.length(active - 1) <= step)
    active--;
  return active;
}

void Pass::advance(size_t begin, size_t end, float* hn, float* cn) {
  size_t active = activeAt(begin);
  for (size_t s = begin; s < end && active > 0;) {
    // Up to the next row's end the same rows run.
    const size_t stop = std::min(end, rows_.length(active - 1));
    if (active == 1 && aheadRows_ > 0 && stop - s >= 3 * aheadRows_) {
      runAhead(s, stop);
      s = stop;
    }
    while (s < stop && !isCancelled()) {
      const size_t steps = std::min(crew ? std::min(chunk_, crewSteps()) : chunk_, stop - s);
      runSteps(s, steps, active);
      s += steps;
    }
    if (isCancelled())
      return;
    const size_t still = activeAt(s);
    if (hn)
      storeRows(rows_, still, active, run_.h[0], run_.hStride, layer_.outputs(), hn);
    if (cn)
      storeRows(rows_, still, active, run_.c, run_.unitStride, layer_.units(), cn);
    active = still;
  }
}

} // namespace native_rnn
