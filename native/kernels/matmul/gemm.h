// Several rows times packed panels, in register tiles: y = bias + a · w. Internal to each instruction set's object.
// tiling.h draws the loops.
#pragma once
#include "quads.h"

namespace {

// Rows times a block, into packed rows.
template <class V, class Product, int G, int S>
inline void gemmBlock(const Product& product, const Block& block, float* y, size_t yStride, size_t rows) {
  const EvenSplit tiles = tileRows<V, G, S>(rows);
  forEachPanelRange<V, G, S>(block, tiles, [&](const PanelRange& range) {
    product.template multiply<V>(range, tiles, y + rowOffset(range.firstPanel(), G, V::lanes), yStride);
  });
}

template <class V, class W, int G>
void gemm(const GemmArgs& args) {
  const PackedView& p = args.matrix;
  if constexpr (isQuads<W>)
    if (p.inputs > mostQuantizedInputs)
      return gemmLongRows<V, G>(args);
  withKSplits<G>(p.kSplitsLog2, [&](auto splits) {
    constexpr int S = isQuads<W> ? 1 : decltype(splits)::count;
    const size_t most = RowsProduct<V, W, G, S>::most(p);
    for (size_t first = 0; first < args.rows; first += most) {
      const size_t rows = least(most, args.rows - first);
      const float* a = args.a + ptrdiff_t(first) * args.aStride;
      float* y = args.y + first * args.yStride;
      if (rows <= RowsProduct<V, W, G, S>::mostSingle(p)) {
        for (size_t r = 0; r < rows; r++, a += args.aStride, y += args.yStride) {
          const RowProduct<V, W, G, S> product(p, a);
          for (size_t i = 0; i < gemvBlocks(p); i++) {
            const Block block = blockAt(blocksOf(p), i);
            product.multiply(block, joinsTailHalf<V>(p, i), y + rowOffset(block.firstPanel, G, V::lanes));
          }
        }
        continue;
      }
      const RowsProduct<V, W, G, S> product(p, a, args.aStride, rows);
      for (size_t i = 0; i < p.blocks; i++)
        withBlockWidth<V>(p, i, [&](auto width, const Block& block) {
          gemmBlock<typename decltype(width)::Vec, RowsProduct<V, W, G, S>, G, S>(product, block, y, args.yStride,
                                                                                  rows);
        });
    }
  });
}

} // namespace
