// How products are cut into blocks and register tiles. The numbers of an instruction set stand in its isa/*.cpp, as
// `tilingOf<Vec>`; here is what they mean for a product of G gates in S k-splits. The loops of one product, outermost
// first (the letters are BLIS's):
//
//   rows, tileScratchRows at a time
//     blocks of panels                        packed one after the other; serpentine from step to step
//       nr panels of the block                nrPanels(): columns of a tile
//         kc of K                             kcBytes of these panels' weights stay in a cache …
//           mr rows                           … while all tiles of rows pass
//             k: nr · G vectors of weights × mr broadcast inputs → mr · nr · G accumulators in registers
//
// A single row has no tile: gemv.h takes a whole block at once.
#pragma once
#include "../../spec/compiler.h"
#include "layout.h"
#include <cstddef>

namespace {

// Accumulators are counted in vectors.
struct Tiling {
  // One row. A layer that fits the first-level cache is one block …
  int singleBlockAccumulators;
  int singleBlockPanels; // … of at most so many panels.
  // Larger ones have several blocks, so that a step backwards over them finds the newest in the cache. The first number
  // is for all, the second for 3 gates and more whose weights pass second-level caches.
  int blockAccumulators;
  int largeBlockAccumulators;
  // Several rows: what fits the registers beside one broadcast and one vector of weights.
  int tileAccumulators;
  int mr;            // the most rows of a tile
  int mrOfOneVector; // and where one vector is all that a row has in a panel (an Elman layer without k-splits)
  // Whether the last compiler moves all loads of a loop's turn to its beginning, where they take registers: turns are
  // short then, or may end in their middle.
  bool loadsComeFirst;
  // Weights of one pass over kc: as many as stay in the first-level cache; or in the second, where a tile computes for
  // longer than it takes to read them from there.
  size_t kcBytes;
  // Rows of input gates that a step of one row makes for later steps, a vector of columns a block (rnn/overlap.h).
  // 0: none, where registers are too few for both.
  int overlapRows;
  // Whether tiles of the most rows, or one less, read narrower weights themselves: where widening them is free beside
  // the products. Else they are widened before, a piece at a time.
  bool tilesReadNarrow;
  // First-level caches of float32 up to which int8 is kept as its whole numbers in float32: as many as leave a step
  // with three operations for a vector of int8 no faster than float32's from the next cache. 0: no code for that.
  int widenedInt8Caches;
  // How far ahead a single row asks for weights that are not in the first-level cache; 0: it does not.
  size_t asksAheadBytes;
  // Whether a small layer's step of int8 times int8 is one function, product and cell (rnn/quad_steps.h).
  bool fusesQuadSteps;
};

// Said by isa/*.cpp, for its vectors.
template <class V>
constexpr Tiling tilingOf{};

// Whether float32's products have code for the scales of int8 weights that were widened to float32.
template <class V>
constexpr bool fusesInt8 = tilingOf<V>.widenedInt8Caches > 0;

constexpr int clamp(int x, int low, int high) { return x < low ? low : x > high ? high : x; }

// The most panels of a block of any table.
constexpr int maxBlockPanels = 8;

template <class V>
constexpr int singleBlockPanels(int G, int S) {
  const int split = int(native_rnn::mostSplitOutputs(size_t(G)));
  const int most = S > 1 && split > 0 ? (split + V::lanes - 1) / V::lanes : tilingOf<V>.singleBlockPanels;
  return clamp(tilingOf<V>.singleBlockAccumulators / (G * S), 1, most);
}
template <class V>
constexpr int blockPanels(int G, int S) {
  return clamp(tilingOf<V>.blockAccumulators / (G * S), 1, maxBlockPanels);
}
template <class V>
constexpr int largeBlockPanels(int G, int S) {
  return G > 2 ? clamp(tilingOf<V>.largeBlockAccumulators / (G * S), 1, maxBlockPanels) : blockPanels<V>(G, S);
}
template <class V>
constexpr int widestBlockOfSeveral(int G) {
  return blockPanels<V>(G, 1) > largeBlockPanels<V>(G, 1) ? blockPanels<V>(G, 1) : largeBlockPanels<V>(G, 1);
}

// MR: the most rows of a tile. Rows are dealt evenly, so that where MR is 3 or more no tile of one row arises of two or
// more: leastRows() is the smallest tile that there is code for.
template <class V>
constexpr int mr(int G, int S) {
  return clamp(tilingOf<V>.tileAccumulators / (G * S), 1, G * S > 1 ? tilingOf<V>.mr : tilingOf<V>.mrOfOneVector);
}
template <class V>
constexpr int leastRows(int G, int S) {
  return mr<V>(G, S) > 2 ? 2 : 1;
}
// NR in panels: the columns of a tile of R rows.
template <class V>
constexpr int nrPanels(int G, int S, int R) {
  return S > 1 ? 1 : clamp(tilingOf<V>.tileAccumulators / (G * R), 1, 4);
}

// The most k-splits, as log2, that there is code for; matmul/packed_matrix.cpp chooses within it.
constexpr int maxKSplitsLog2(int G) { return native_rnn::mostSplitOutputs(size_t(G)) > 0; }

// Calls body with the number of k-splits as a compile-time constant.
template <int S>
struct KSplits {
  static constexpr int count = S;
};
template <int G, int log2 = maxKSplitsLog2(G), class Body>
inline void withKSplits(int kSplitsLog2, const Body& body) {
  if constexpr (log2 > 0)
    if (kSplitsLog2 < log2)
      return withKSplits<G, log2 - 1>(kSplitsLog2, body);
  body(KSplits<(1 << log2)>{});
}

} // namespace
