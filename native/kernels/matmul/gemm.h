// Several rows times packed panels, in register tiles: y = bias + a · w. Internal to each instruction set's object.
// tiling.h draws the loops.
#pragma once
#include "gemv.h"

namespace {

// R rows times N vectors of columns over some of K: out = (bias, or out where that is null) + a · w.
template <class V, class W, int S, int N, int R>
void tile(const typename W::Stored* w, size_t wStride, const float* a, ptrdiff_t aStride, size_t K, const float* bias,
          float* out, size_t outStride) {
  constexpr int L = V::lanes;
  V sum[S][R * N];
#pragma GCC unroll 8
  for (int r = 0; r < R; r++)
#pragma GCC unroll 64
    for (int n = 0; n < N; n++)
      sum[0][r * N + n] = V::load(bias ? bias + n * L : out + r * outStride + n * L);
#pragma GCC unroll 8
  for (int s = 1; s < S; s++)
#pragma GCC unroll 64
    for (int n = 0; n < R * N; n++)
      sum[s][n] = V::set(0.0f);
  size_t k = 0;
  // The smaller of the two operands' sets is held in registers, the other passes through one.
  const auto add = [&](int s) {
    V held[N < R ? N : R];
    if constexpr (N < R) {
#pragma GCC unroll 64
      for (int n = 0; n < N; n++)
        held[n] = W::template load<V>(w + n * L);
#pragma GCC unroll 8
      for (int r = 0; r < R; r++) {
        const V b = V::broadcast(a + r * aStride + k);
#pragma GCC unroll 64
        for (int n = 0; n < N; n++)
          sum[s][r * N + n] = fma(held[n], b, sum[s][r * N + n]);
      }
    } else {
#pragma GCC unroll 8
      for (int r = 0; r < R; r++)
        held[r] = V::broadcast(a + r * aStride + k);
#pragma GCC unroll 64
      for (int n = 0; n < N; n++) {
        const V v = W::template load<V>(w + n * L);
#pragma GCC unroll 8
        for (int r = 0; r < R; r++)
          sum[s][r * N + n] = fma(v, held[r], sum[s][r * N + n]);
      }
    }
    k++, w += wStride;
  };
  while (k + S <= K)
#pragma GCC unroll 8
    for (int s = 0; s < S; s++)
      add(s);
#pragma GCC unroll 8
  for (int s = 0; s < S - 1; s++)
    if (k < K)
      add(s);
  reduceSplits<S, R * N>(sum);
#pragma GCC unroll 8
  for (int r = 0; r < R; r++)
#pragma GCC unroll 64
    for (int n = 0; n < N; n++)
      sum[0][r * N + n].store(out + r * outStride + n * L);
}

template <class W>
using TileKernel = void (*)(const typename W::Stored*, size_t, const float*, ptrdiff_t, size_t, const float*, float*,
                            size_t);

// The tile of r rows and m panels; r ≤ R and m ≤ M.
template <class V, class W, int G, int S, int R, int M>
inline TileKernel<W> tileKernel(size_t r, size_t m) {
  if constexpr (R > leastRows<V>(G, S))
    if (r < size_t(R))
      return tileKernel<V, W, G, S, R - 1, nrPanels<V>(G, S, R - 1)>(r, m);
  if constexpr (M > 1)
    if (m < size_t(M))
      return tileKernel<V, W, G, S, R, M - 1>(r, m);
  return tile<V, W, S, M * G, R>;
}

// Some panels of a block: the columns of a tile.
struct PanelRange {
  const Block& block;
  size_t first, panels; // within the block
  size_t firstPanel() const { return block.firstPanel + first; }
};

// How some rows are dealt to tiles of at most MR.
template <class V, int G, int S>
inline EvenSplit tileRows(size_t rows) {
  constexpr size_t R = mr<V>(G, S);
  return splitEvenly(rows, (rows + R - 1) / R);
}

// Calls visit(range) for a block's panels, NR at a time.
template <class V, int G, int S, class Visit>
inline void forEachPanelRange(const Block& block, const EvenSplit& tiles, const Visit& visit) {
  const size_t nr = nrPanels<V>(G, S, int(tiles.size(0)));
  const EvenSplit ranges = splitEvenly(block.panels, (block.panels + nr - 1) / nr);
  for (size_t i = 0; i < ranges.parts; i++)
    visit(PanelRange{block, ranges.begin(i), ranges.size(i)});
}

// Rows times a range of panels, into packed rows that begin there.
template <class V, class W, int G, int S>
void gemmPanels(const PackedView& p, const PanelRange& range, const float* a, ptrdiff_t aStride, const EvenSplit& tiles,
                float* out, size_t outStride) {
  constexpr int R = mr<V>(G, S), M = nrPanels<V>(G, S, R), L = V::lanes;
  const TileKernel<W> larger = tiles.larger ? tileKernel<V, W, G, S, R, M>(tiles.base + 1, range.panels) : nullptr;
  const TileKernel<W> regular = tileKernel<V, W, G, S, R, M>(tiles.base, range.panels);
  // K-splits cannot be cut: they are for short products anyway.
  const size_t kc = S > 1 ? p.K : tilingOf<V>.kcBytes / (range.panels * G * L * sizeof(typename W::Stored));
  const size_t wStride = kStride(range.block.panels, G, L);
  const typename W::Stored* weights = weightsAt<V, W, G>(p, range.block.firstPanel) + rowOffset(range.first, G, L);
  size_t k = 0;
  do {
    const float* bias = k ? nullptr : biasAt<V, G>(p, range.firstPanel());
    size_t row = 0;
    for (size_t i = 0; i < tiles.parts; i++) {
      const bool isLarger = i < tiles.larger;
      (isLarger ? larger : regular)(weights + k * wStride, wStride, a + ptrdiff_t(row) * aStride + k, aStride,
                                    least(kc, p.K - k), bias, out + row * outStride, outStride);
      row += tiles.base + isLarger;
    }
    k += kc;
  } while (k < p.K);
}

// Up to tileScratchRows rows times a block, into packed rows.
template <class V, class W, int G, int S>
inline void gemmBlock(const GemmArgs& args, const Block& block, const float* a, float* y, size_t rows) {
  const EvenSplit tiles = tileRows<V, G, S>(rows);
  forEachPanelRange<V, G, S>(block, tiles, [&](const PanelRange& range) {
    gemmPanels<V, W, G, S>(args.matrix, range, a, args.aStride, tiles, y + rowOffset(range.firstPanel(), G, V::lanes),
                           args.yStride);
  });
}

template <class V, class W, int G>
void gemm(const GemmArgs& args) {
  const PackedView& p = args.matrix;
  withKSplits<G>(p.kSplitsLog2, [&](auto splits) {
    constexpr int S = decltype(splits)::count;
    for (size_t first = 0; first < args.rows; first += tileScratchRows) {
      const size_t rows = least(tileScratchRows, args.rows - first);
      const float* a = args.a + ptrdiff_t(first) * args.aStride;
      float* y = args.y + first * args.yStride;
      if (rows == 1) {
        const auto kernels = blockKernels<GemvPanels<V, W, G, S>>(p);
        for (size_t i = 0; i < gemvBlocks(p); i++) {
          const Block block = blockAt(blocksOf(p), i);
          kernels.at(p, block, joinsTailHalf<V>(p, i))(p, block.firstPanel, a,
                                                       y + rowOffset(block.firstPanel, G, V::lanes));
        }
        continue;
      }
      for (size_t i = 0; i < p.blocks; i++)
        withBlockWidth<V>(p, i, [&](auto width, const Block& block) {
          gemmBlock<typename decltype(width)::Vec, W, G, S>(args, block, a, y, rows);
        });
    }
  });
}

} // namespace
