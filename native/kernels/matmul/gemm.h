// Products over packed panels: tiles of several rows. Included by run.h only, internal to each ISA's object.
#pragma once
#include "gemv.h"

namespace {

// R rows times N vectors of columns over one slice of K: out = (start, or out where there is none) + a · w.
template <class V, int S, int N, int R>
void tile(const float* w, size_t wStride, const float* a, ptrdiff_t aStride, size_t K, const float* start, float* out,
          size_t outStride) {
  constexpr int L = V::lanes;
  V sum[S][R * N];
#pragma GCC unroll 8
  for (int r = 0; r < R; r++)
#pragma GCC unroll 64
    for (int n = 0; n < N; n++)
      sum[0][r * N + n] = V::load(start ? start + n * L : out + r * outStride + n * L);
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
        held[n] = V::load(w + n * L);
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
        const V v = V::load(w + n * L);
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

using TileKernel = void (*)(const float*, size_t, const float*, ptrdiff_t, size_t, const float*, float*, size_t);

// The tile of r rows and m panels; r ≤ R and m ≤ M.
template <class V, int G, int S, int R, int M>
inline TileKernel tileKernel(int r, int m) {
  if constexpr (R > leastMr<V>(G, S))
    if (r < R)
      return tileKernel<V, G, S, R - 1, nrPanels<V>(G, S, R - 1)>(r, m);
  if constexpr (M > 1)
    if (m < M)
      return tileKernel<V, G, S, R, M - 1>(r, m);
  return tile<V, S, M * G, R>;
}

// Some panels of a block: what the tiles of two rows and more take at a time.
struct PanelRange {
  const Block& block;
  size_t first, panels; // within the block
  size_t firstPanel() const { return block.firstPanel + first; }
};

// How rows are dealt to tiles: the first `wide` tiles take one more than `low`.
struct RowTiling {
  int tiles, larger, rowsPerTile;
  int most() const { return rowsPerTile + (larger > 0); }
};
template <class V, int G, int S>
inline RowTiling tileRows(size_t rows) {
  constexpr int R = mr<V>(G, S);
  const int count = int(rows), tiles = (count + R - 1) / R;
  return {tiles, count % tiles, count / tiles};
}

// Calls visit(part) for all parts of a block.
template <class V, int G, int S, class Visit>
inline void forEachPanelRange(const Block& block, RowTiling tiling, const Visit& visit) {
  const size_t most = nrPanels<V>(G, S, tiling.most());
  size_t first = 0;
  for (size_t left = (block.panels + most - 1) / most; left > 0; left--) {
    const size_t panels = (block.panels - first + left - 1) / left;
    visit(PanelRange{block, first, panels});
    first += panels;
  }
}

// The sums of up to a group of rows over a part, into packed rows that begin there.
template <class V, int G, int S>
void gemmPanels(const PackedView& p, const PanelRange& range, const float* a, ptrdiff_t aStride, RowTiling tiling,
                float* out, size_t outStride) {
  constexpr int R = mr<V>(G, S), M = nrPanels<V>(G, S, R), L = V::lanes;
  const int panels = int(range.panels);
  const TileKernel larger = tiling.larger ? tileKernel<V, G, S, R, M>(tiling.rowsPerTile + 1, panels) : nullptr;
  const TileKernel rest = tileKernel<V, G, S, R, M>(tiling.rowsPerTile, panels);
  // Partial sums cannot be cut: they are for short products anyway.
  const size_t slice = S > 1 ? p.K : V::tiling.kcBytes / (panels * G * L * sizeof(float));
  const size_t wStride = range.block.panels * G * L;
  const float* weights = p.weights + range.block.firstPanel * G * L * p.K + range.first * G * L;
  size_t k = 0;
  do {
    const float* start = k ? nullptr : p.bias + range.firstPanel() * G * L;
    size_t row = 0;
    for (int i = 0; i < tiling.tiles; i++) {
      const bool isLarger = i < tiling.larger;
      (isLarger ? larger : rest)(weights + k * wStride, wStride, a + ptrdiff_t(row) * aStride + k, aStride,
                                 least(slice, p.K - k), start, out + row * outStride, outStride);
      row += tiling.rowsPerTile + isLarger;
    }
    k += slice;
  } while (k < p.K);
}

// Calls body with the number of partial sums as a compile-time constant.
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

// The sums of up to a group of rows over a block, into packed rows.
template <class V, int G, int S>
inline void gemmBlock(const GemmArgs& args, const Block& block, const float* a, float* y, size_t rows) {
  const RowTiling tiling = tileRows<V, G, S>(rows);
  forEachPanelRange<V, G, S>(block, tiling, [&](const PanelRange& range) {
    gemmPanels<V, G, S>(args.matrix, range, a, args.aStride, tiling, y + range.firstPanel() * G * V::lanes,
                        args.yStride);
  });
}

template <class V, int G>
void gemm(const GemmArgs& args) {
  const PackedView& p = args.matrix;
  withKSplits<G>(p.kSplitsLog2, [&](auto splits) {
    constexpr int S = decltype(splits)::count;
    for (size_t first = 0; first < args.rows; first += tileScratchRows) {
      const size_t rows = least(tileScratchRows, args.rows - first);
      const float* a = args.a + ptrdiff_t(first) * args.aStride;
      float* y = args.y + first * args.yStride;
      if (rows == 1) {
        const auto kernels = gemvKernels<GemvPanels<V, G, S>>(p);
        for (size_t i = 0; i < gemvBlocks(p); i++) {
          const Block block = blockAt(p, i);
          kernels.at(p, block, joinsTailHalf<V>(p, i))(p, block.firstPanel, a, y + block.firstPanel * G * V::lanes);
        }
        continue;
      }
      for (size_t i = 0; i < p.blocks; i++)
        withBlockWidth<V>(p, i, [&](auto width, const Block& block) {
          gemmBlock<typename decltype(width)::Vec, G, S>(args, block, a, y, rows);
        });
    }
  });
}

} // namespace
