// How products are cut into blocks and register tiles. The numbers of an instruction set stand in its isa/*.cpp, as
// `Vec::shapes`; here is what they mean for a product of G gates and S partial sums. Included by run.h and isa/*.cpp
// only.
#pragma once
#include <cstddef>

namespace {

// Sums are counted in vectors that are held in registers.
struct Tiling {
  int singleBlockAccumulators; // of one row and a block that is the only one, which fits the first-level cache
  int singleBlockPanels;       // and the most panels of it
  int blockAccumulators;       // of one row and one of several blocks: few leave something to turn around
  int largeBlockAccumulators;  // of one row and a block of so many weights of 3 gates and more that they pass
                               // second-level caches
  int tileAccumulators;        // of several rows: what fits beside one broadcast and one weight vector
  int mr;                      // the most rows of a tile
  int mrOfOneVector;           // and where a row has one vector a panel
  size_t kcBytes;  // weights of a slice of K that stay in a cache while rows pass: the first-level one, or the second
                   // where a tile computes for longer than reading its weights from there takes
  int overlapRows; // rows of input sums that steps of one row make ahead, a vector of columns a block; 0: none, where
                   // registers are too few for both
};

constexpr int clamp(int x, int low, int high) { return x < low ? low : x > high ? high : x; }

// Panels of a block.
template <class V>
constexpr int singleBlockPanels(int G, int S) {
  return clamp(V::tiling.singleBlockAccumulators / (G * S), 1, V::tiling.singleBlockPanels);
}
template <class V>
constexpr int blockPanels(int G, int S) {
  return clamp(V::tiling.blockAccumulators / (G * S), 1, 8);
}
template <class V>
constexpr int largeBlockPanels(int G, int S) {
  return G > 2 ? clamp(V::tiling.largeBlockAccumulators / (G * S), 1, 8) : blockPanels<V>(G, S);
}
// Panels of the widest of several blocks.
template <class V>
constexpr int widestBlockOfSeveral(int G) {
  return blockPanels<V>(G, 1) > largeBlockPanels<V>(G, 1) ? blockPanels<V>(G, 1) : largeBlockPanels<V>(G, 1);
}
// Rows of a tile, and panels of a tile of that many rows. Two rows and more, dealt to tiles of at most 3 or more, make
// no tile of one.
template <class V>
constexpr int mr(int G, int S) {
  return clamp(V::tiling.tileAccumulators / (G * S), 1, G * S > 1 ? V::tiling.mr : V::tiling.mrOfOneVector);
}
template <class V>
constexpr int leastMr(int G, int S) {
  return mr<V>(G, S) > 2 ? 2 : 1;
}
template <class V>
constexpr int nrPanels(int G, int S, int R) {
  return S > 1 ? 1 : clamp(V::tiling.tileAccumulators / (G * R), 1, 4);
}
// Most partial sums (as log2) that a product of G gates is asked for; pack.cpp chooses within it.
constexpr int maxKSplitsLog2(int G) { return G == 4 ? 0 : 1; }

} // namespace
