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
  fold<S, R * N>(sum);
#pragma GCC unroll 8
  for (int r = 0; r < R; r++)
#pragma GCC unroll 64
    for (int n = 0; n < N; n++)
      sum[0][r * N + n].store(out + r * outStride + n * L);
}

using Tile = void (*)(const float*, size_t, const float*, ptrdiff_t, size_t, const float*, float*, size_t);

// The tile of r rows and m panels; r ≤ R and m ≤ M.
template <class V, int G, int S, int R, int M>
inline Tile tileOf(int r, int m) {
  if constexpr (R > fewestRows<V>(G, S))
    if (r < R)
      return tileOf<V, G, S, R - 1, tilePanels<V>(G, S, R - 1)>(r, m);
  if constexpr (M > 1)
    if (m < M)
      return tileOf<V, G, S, R, M - 1>(r, m);
  return tile<V, S, M * G, R>;
}

// Some panels of a block: what the tiles of two rows and more take at a time.
struct Part {
  const Block& block;
  size_t first, panels; // within the block
  size_t firstPanel() const { return block.firstPanel + first; }
};

// How rows are dealt to tiles: the first `wide` tiles take one more than `low`.
struct Deal {
  int tiles, wide, low;
  int most() const { return low + (wide > 0); }
};
template <class V, int G, int S>
inline Deal dealRows(size_t rows) {
  constexpr int R = tileRows<V>(G, S);
  const int count = int(rows), tiles = (count + R - 1) / R;
  return {tiles, count % tiles, count / tiles};
}

// Calls visit(part) for all parts of a block.
template <class V, int G, int S, class Visit>
inline void eachPart(const Block& block, Deal deal, const Visit& visit) {
  const size_t most = tilePanels<V>(G, S, deal.most());
  size_t first = 0;
  for (size_t left = (block.panels + most - 1) / most; left > 0; left--) {
    const size_t panels = (block.panels - first + left - 1) / left;
    visit(Part{block, first, panels});
    first += panels;
  }
}

// The sums of up to a group of rows over a part, into packed rows that begin there.
template <class V, int G, int S>
void partSums(const Product& p, const Part& part, const float* a, ptrdiff_t aStride, Deal deal, float* out,
              size_t outStride) {
  constexpr int R = tileRows<V>(G, S), M = tilePanels<V>(G, S, R), L = V::lanes;
  const int panels = int(part.panels);
  const Tile high = deal.wide ? tileOf<V, G, S, R, M>(deal.low + 1, panels) : nullptr;
  const Tile rest = tileOf<V, G, S, R, M>(deal.low, panels);
  // Partial sums cannot be cut: they are for short products anyway.
  const size_t slice = S > 1 ? p.K : V::shapes.sliceBytes / (panels * G * L * sizeof(float));
  const size_t wStride = part.block.panels * G * L;
  const float* weights = p.weights + part.block.firstPanel * G * L * p.K + part.first * G * L;
  size_t k = 0;
  do {
    const float* start = k ? nullptr : p.start + part.firstPanel() * G * L;
    size_t row = 0;
    for (int i = 0; i < deal.tiles; i++) {
      const bool isWide = i < deal.wide;
      (isWide ? high : rest)(weights + k * wStride, wStride, a + ptrdiff_t(row) * aStride + k, aStride,
                             least(slice, p.K - k), start, out + row * outStride, outStride);
      row += deal.low + isWide;
    }
    k += slice;
  } while (k < p.K);
}

// Calls body with the number of partial sums as a compile-time constant.
template <int S>
struct Partials {
  static constexpr int count = S;
};
template <int G, int log2 = mostPartials(G), class Body>
inline void withPartials(int partials, const Body& body) {
  if constexpr (log2 > 0)
    if (partials < log2)
      return withPartials<G, log2 - 1>(partials, body);
  body(Partials<(1 << log2)>{});
}

// The sums of up to a group of rows over a block, into packed rows.
template <class V, int G, int S>
inline void blockSums(const ProductArgs& args, const Block& block, const float* a, float* y, size_t rows) {
  const Deal deal = dealRows<V, G, S>(rows);
  eachPart<V, G, S>(block, deal, [&](const Part& part) {
    partSums<V, G, S>(args.product, part, a, args.aStride, deal, y + part.firstPanel() * G * V::lanes, args.yStride);
  });
}

template <class V, int G>
void product(const ProductArgs& args) {
  const Product& p = args.product;
  withPartials<G>(p.partials, [&](auto partials) {
    constexpr int S = decltype(partials)::count;
    for (size_t first = 0; first < args.rows; first += carryRows) {
      const size_t rows = least(carryRows, args.rows - first);
      const float* a = args.a + ptrdiff_t(first) * args.aStride;
      float* y = args.y + first * args.yStride;
      if (rows == 1) {
        const auto calls = rowCalls<RowSums<V, G, S>>(p);
        for (size_t i = 0; i < rowBlocks(p); i++) {
          const Block block = blockAt(p, i);
          calls.at(p, block, takesHalf<V>(p, i))(p, block.firstPanel, a, y + block.firstPanel * G * V::lanes);
        }
        continue;
      }
      for (size_t i = 0; i < p.blocks; i++)
        visitBlock<V>(p, i, [&](auto width, const Block& block) {
          blockSums<typename decltype(width)::Vec, G, S>(args, block, a, y, rows);
        });
    }
  });
}

} // namespace
