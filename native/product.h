// Products over packed panels: sums of one row, tiles of several rows, and the choice of their shapes.
// Part of the kernel source: included by run.h only, internal to each ISA's object.
#pragma once
#include "kernels.h"
#include "math.h"

namespace {

using namespace native_rnn;

constexpr int clamp(int x, int low, int high) { return x < low ? low : x > high ? high : x; }
constexpr size_t least(size_t a, size_t b) { return a < b ? a : b; }

// Accumulators of a tile of rows: what fits beside one broadcast and one weight vector.
template <class V>
constexpr int tileSums = V::registers == 32 ? 24 : 12;
// Accumulators of one row: enough to hide the latency of fma; more would only make the code larger.
constexpr int rowSums = 12;

// The shapes of the register tiles: panels of a block (one row) and of the only block of a short product, rows of a
// tile, panels of a tile of that many rows. Blocks of one of several are smaller, so that the first-level cache still
// holds the last one when the next step turns.
template <class V>
constexpr int blockPanels(int G, int S) {
  return clamp(rowSums / (G * S), 1, 8);
}
template <class V>
constexpr int onlyPanels(int G, int S) {
  return clamp(rowSums / (G * S), 1, 10);
}
template <class V>
constexpr int tileRows(int G, int S) {
  return clamp(tileSums<V> / (G * S), 1, V::registers == 32 ? 8 : 6);
}
// Two rows and more, dealt to tiles of at most 3 or more, make no tile of one.
template <class V>
constexpr int fewestRows(int G, int S) {
  return tileRows<V>(G, S) > 2 ? 2 : 1;
}
template <class V>
constexpr int tilePanels(int G, int S, int R) {
  return S > 1 ? 1 : clamp(tileSums<V> / (G * R), 1, 4);
}
// Most partial sums (as log2) that a product of G gates is asked for; pack.cpp chooses within it.
constexpr int mostPartials(int G) { return G == 4 ? 0 : 1; }
// Weights of one slice of K that stay in the first-level cache while the rows of a group pass.
template <class V>
constexpr size_t sliceBytes = V::registers == 32 ? 24576 : 16384;

// Adds the partial sums pairwise, always in the same order, into the first.
template <int S, int N, class V>
RNN_INLINE void fold(V (&sum)[S][N]) {
#pragma GCC unroll 8
  for (int half = S / 2; half > 0; half /= 2)
#pragma GCC unroll 8
    for (int s = 0; s < half; s++)
#pragma GCC unroll 64
      for (int n = 0; n < N; n++)
        sum[s][n] = sum[s][n] + sum[s + half][n];
}

// One row times N vectors of columns that lie together: out = start + a · w.
template <class V, int S, int N>
RNN_INLINE void sumRow(const float* w, const float* start, const float* a, size_t K, float* out) {
  constexpr int L = V::lanes;
  V sum[S][N];
#pragma GCC unroll 64
  for (int n = 0; n < N; n++)
    sum[0][n] = V::load(start + n * L);
#pragma GCC unroll 8
  for (int s = 1; s < S; s++)
#pragma GCC unroll 64
    for (int n = 0; n < N; n++)
      sum[s][n] = V::set(0.0f);
  const auto add = [&](int s, size_t k) {
    const V b = V::broadcast(a + k);
#pragma GCC unroll 64
    for (int n = 0; n < N; n++)
      sum[s % S][n] = fma(V::load(w + (s * N + n) * L), b, sum[s % S][n]);
  };
  // Several inputs a turn keep the loop's own instructions few.
  constexpr int turn = S > 1 ? S : N < 4 ? 4 : N < 12 ? 2 : 1;
  size_t k = 0;
  for (; k + turn <= K; k += turn, w += turn * N * L)
#pragma GCC unroll 8
    for (int s = 0; s < turn; s++)
      add(s, k + s);
#pragma GCC unroll 8
  for (int s = 0; s < turn - 1; s++)
    if (k + s < K)
      add(s, k + s);
  fold<S, N>(sum);
#pragma GCC unroll 64
  for (int n = 0; n < N; n++)
    sum[0][n].store(out + n * L);
}

// Where blocks begin; the inverse of what pack.cpp does.
struct Block {
  size_t firstPanel, panels;
};
inline Block blockAt(const Product& p, size_t block) {
  return {block * p.narrow + least(block, p.wide), p.narrow + (block < p.wide)};
}

// Blocks [begin, end) of a product, from the last to the first where `backwards`.
struct Span {
  size_t begin, end;
  bool backwards;
  size_t at(size_t i) const { return backwards ? end - 1 - i : begin + i; }
  size_t size() const { return end - begin; }
};

// `Of<M>::call` for 1 to M panels, and the one for so many.
template <class Call, int M>
struct Calls {
  Call of[M];
};
template <template <int> class Of, class Call, int M, int N = M>
constexpr void fill(Calls<Call, M>& calls) {
  if constexpr (N > 1)
    fill<Of, Call, M, N - 1>(calls);
  calls.of[N - 1] = Of<N>::call;
}
template <template <int> class Of, class Call, int M>
inline Call callOf(size_t panels) {
  static constexpr Calls<Call, M> calls = [] {
    Calls<Call, M> all{};
    fill<Of>(all);
    return all;
  }();
  return calls.of[panels - 1];
}

// What is done for one row of a product, block by block, is picked by the panels of a block: here the sums alone.
template <class V, int G, int S>
struct RowSums {
  using Call = void (*)(const Product& p, size_t panel, const float* a, float* out);
  template <int M>
  struct Of {
    // The sums of M panels from `panel` on, into a packed row that begins there.
    static RNN_INLINE void inlined(const Product& p, size_t panel, const float* a, float* out) {
      const size_t offset = panel * G * V::lanes;
      sumRow<V, S, M * G>(p.weights + offset * p.K, p.start + offset, a, p.K, out);
    }
    static RNN_APART void call(const Product& p, size_t panel, const float* a, float* out) {
      inlined(p, panel, a, out);
    }
  };
  static Call pick(size_t panels) { return callOf<Of, Call, onlyPanels<V>(G, S)>(panels); }
};

// Calls visit(block, call) for every block of the span, with the call for its width.
template <class Row, class Visit>
inline void eachBlock(const Product& p, const Span& span, const Visit& visit) {
  const auto narrow = Row::pick(p.narrow), wide = p.wide ? Row::pick(p.narrow + 1) : narrow;
  for (size_t i = 0; i < span.size(); i++) {
    const Block block = blockAt(p, span.at(i));
    visit(block, block.panels == p.narrow ? narrow : wide);
  }
}

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

// Up to a group of rows times the panels of one block, into packed rows that begin at the block's first panel.
template <class V, int G, int S>
void groupBlock(const Product& p, const Block& block, const float* a, ptrdiff_t aStride, size_t rows, float* out,
                size_t outStride) {
  if (rows == 1)
    return RowSums<V, G, S>::pick(block.panels)(p, block.firstPanel, a, out);
  constexpr int R = tileRows<V>(G, S), L = V::lanes;
  const size_t tiles = (rows + R - 1) / R, wide = rows % tiles;
  const int low = int(rows / tiles), panels = tilePanels<V>(G, S, low + (wide > 0));
  const size_t offset = block.firstPanel * G * L, wStride = block.panels * G * L;
  for (size_t m = 0; m < block.panels; m += panels) {
    const int width = int(least(size_t(panels), block.panels - m));
    const Tile high = wide ? tileOf<V, G, S, R, tilePanels<V>(G, S, R)>(low + 1, width) : nullptr;
    const Tile rest = tileOf<V, G, S, R, tilePanels<V>(G, S, R)>(low, width);
    // Partial sums cannot be cut: they are for short products anyway.
    const size_t slice = S > 1 ? p.K : sliceBytes<V> / (width * G * L * sizeof(float));
    size_t k = 0;
    do {
      const float* w = p.weights + offset * p.K + k * wStride + m * G * L;
      const float* start = k ? nullptr : p.start + offset + m * G * L;
      size_t row = 0;
      for (size_t i = 0; i < tiles; i++) {
        const bool isWide = i < wide;
        (isWide ? high : rest)(w, wStride, a + ptrdiff_t(row) * aStride + k, aStride, least(slice, p.K - k), start,
                               out + row * outStride + m * G * L, outStride);
        row += low + isWide;
      }
      k += slice;
    } while (k < p.K);
  }
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

template <class V, int G>
void product(const ProductArgs& args) {
  const Product& p = args.product;
  withPartials<G>(p.partials, [&](auto partials) {
    constexpr int S = decltype(partials)::count;
    for (size_t first = 0; first < args.rows; first += carryRows)
      for (size_t i = 0; i < p.blocks; i++) {
        const Block block = blockAt(p, i);
        groupBlock<V, G, S>(p, block, args.a + ptrdiff_t(first) * args.aStride, args.aStride,
                            least(carryRows, args.rows - first),
                            args.y + first * args.yStride + block.firstPanel * G * V::lanes, args.yStride);
      }
  });
}

} // namespace
