// Where weights and rows lie in packed memory; the one place that knows it. Constant expressions only, no state: the
// kernels read by it, matmul/packed_matrix.cpp writes by it.
//
//   matrix     N outputs (units) × G gates × K inputs, cut by outputs:
//
//   units      0 … L−1 | L … 2L−1 | …                        a panel: L = `lanes` units; the last is padded with zeros
//   blocks     [panel 0, panel 1] [panel 2, panel 3] [4]     several panels each, the first blocks may have one more
//   a block    k = 0: p0 g0 lanes | p0 g1 lanes | … | p1 g0 lanes | …
//              k = 1: …                                      [k][panel][gate][lane]: one row streams it from end to end
//
//   packed row [panel][gate][lane]: biases, peepholes and all results that stay inside the engine
//
// Where a table has half panels and at most half a panel of units is left at the end, those are a panel of L / 2 lanes
// in a block of its own behind the others: half panels are counted in half lanes, so that every formula below holds for
// them.
#pragma once
#include "../../spec/compiler.h"
#include <cstddef>

namespace native_rnn {

// The most outputs of G gates whose sums run in k-splits: more outputs, or gates, hide latency by themselves.
static constexpr size_t mostSplitOutputs(size_t G) { return G == 1 ? 40 : G < 4 ? 16 : 0; }

// `total` things dealt to `parts`, the first `larger` of which get one more than `base`.
struct EvenSplit {
  size_t parts, base, larger;
  constexpr RNN_INLINE size_t size(size_t part) const { return base + (part < larger); }
  constexpr RNN_INLINE size_t begin(size_t part) const { return part * base + (part < larger ? part : larger); }
  // The part that has thing `index`.
  constexpr RNN_INLINE size_t partOf(size_t index) const {
    return index < larger * (base + 1) ? index / (base + 1) : larger + (index - larger * (base + 1)) / base;
  }
};
static constexpr RNN_INLINE EvenSplit splitEvenly(size_t total, size_t parts) {
  return parts ? EvenSplit{parts, total / parts, total % parts} : EvenSplit{0, 0, 0};
}

// Some panels that lie together, counted in panels of their own width.
struct Block {
  size_t firstPanel, panels;
};
static constexpr RNN_INLINE Block blockAt(const EvenSplit& split, size_t block) {
  return {split.begin(block), split.size(block)};
}
// The half panel behind `panels` whole ones.
static constexpr RNN_INLINE Block tailHalfBlock(size_t panels) { return {2 * panels, 1}; }

// Floats of a packed row before a panel.
static constexpr RNN_INLINE size_t rowOffset(size_t panel, size_t G, size_t lanes) { return panel * G * lanes; }
// Weights before the block that begins with a panel.
static constexpr RNN_INLINE size_t blockOffset(size_t firstPanel, size_t G, size_t lanes, size_t K) {
  return rowOffset(firstPanel, G, lanes) * K;
}
// Weights from one k to the next in a block.
static constexpr RNN_INLINE size_t kStride(size_t panels, size_t G, size_t lanes) {
  return rowOffset(panels, G, lanes);
}
// Weights before (k, panel, gate, lane) of a block; the panel is counted within it.
static constexpr RNN_INLINE size_t offsetInBlock(size_t k, size_t panel, size_t gate, size_t lane, size_t panels,
                                                 size_t G, size_t lanes) {
  return k * kStride(panels, G, lanes) + rowOffset(panel, G, lanes) + gate * lanes + lane;
}

} // namespace native_rnn
