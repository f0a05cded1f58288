// How products are cut into blocks and register tiles. The numbers of an instruction set stand in its isa/*.cpp, as
// `Vec::shapes`; here is what they mean for a product of G gates and S partial sums. Included by run.h and isa/*.cpp
// only.
#pragma once
#include <cstddef>

namespace {

// Sums are counted in vectors that are held in registers.
struct Shapes {
  int onlySums;      // of one row and a block that is the only one, which fits the first-level cache
  int onlyPanels;    // and the most panels of it
  int blockSums;     // of one row and one of several blocks: few leave something to turn around
  int largeSums;     // of one row and a block of so many weights of 3 gates and more that they pass second-level caches
  int tileSums;      // of several rows: what fits beside one broadcast and one weight vector
  int tileRows;      // the most rows of a tile
  int tileRowsOfOne; // and where a row has one vector a panel
  size_t sliceBytes; // weights of a slice of K that stay in a cache while rows pass: the first-level one, or the second
                     // where a tile computes for longer than reading its weights from there takes
  int aheadRows;     // rows of input sums that steps of one row make ahead, a vector of columns a block; 0: none, where
                     // registers are too few for both
};

constexpr int clamp(int x, int low, int high) { return x < low ? low : x > high ? high : x; }

// Panels of a block.
template <class V>
constexpr int onlyPanels(int G, int S) {
  return clamp(V::shapes.onlySums / (G * S), 1, V::shapes.onlyPanels);
}
template <class V>
constexpr int blockPanels(int G, int S) {
  return clamp(V::shapes.blockSums / (G * S), 1, 8);
}
template <class V>
constexpr int largePanels(int G, int S) {
  return G > 2 ? clamp(V::shapes.largeSums / (G * S), 1, 8) : blockPanels<V>(G, S);
}
// Panels of the widest of several blocks.
template <class V>
constexpr int widestOfSeveral(int G) {
  return blockPanels<V>(G, 1) > largePanels<V>(G, 1) ? blockPanels<V>(G, 1) : largePanels<V>(G, 1);
}
// Rows of a tile, and panels of a tile of that many rows. Two rows and more, dealt to tiles of at most 3 or more, make
// no tile of one.
template <class V>
constexpr int tileRows(int G, int S) {
  return clamp(V::shapes.tileSums / (G * S), 1, G * S > 1 ? V::shapes.tileRows : V::shapes.tileRowsOfOne);
}
template <class V>
constexpr int fewestRows(int G, int S) {
  return tileRows<V>(G, S) > 2 ? 2 : 1;
}
template <class V>
constexpr int tilePanels(int G, int S, int R) {
  return S > 1 ? 1 : clamp(V::shapes.tileSums / (G * R), 1, 4);
}
// Most partial sums (as log2) that a product of G gates is asked for; pack.cpp chooses within it.
constexpr int mostPartials(int G) { return G == 4 ? 0 : 1; }

} // namespace
