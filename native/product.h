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

// The vector of half panels; never used where there are none.
template <class V, bool = V::halves>
struct HalfOf {
  using Vec = V;
};
template <class V>
struct HalfOf<V, true> {
  using Vec = typename V::Half;
};
template <class V>
using Half = typename HalfOf<V>::Vec;

// The shapes of the register tiles. First the panels of a block, as one row takes them: of the only block of a short
// product; of one of several, which are smaller, so that the first-level cache still holds the last one when the next
// step turns; and of one of a large product: on AVX-512 those of several gates are as narrow as a tile, which then
// reads one long row of weights. Then the rows of a tile, and the panels of a tile of that many rows.
template <class V>
constexpr int onlyPanels(int G, int S) {
  return clamp(rowSums / (G * S), 1, V::lanes == 16 ? 8 : 10);
}
template <class V>
constexpr int blockPanels(int G, int S) {
  return clamp((V::lanes == 16 ? 8 : rowSums) / (G * S), 1, 8);
}
template <class V>
constexpr int largePanels(int G, int S) {
  return V::lanes == 16 && G > 2 ? 1 : blockPanels<V>(G, S);
}
template <class V>
constexpr int tileRows(int G, int S) {
  return clamp(tileSums<V> / (G * S), 1, V::registers == 32 && G * S > 1 ? 8 : 6);
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
// Weights of one slice of K that stay in a cache while the rows of a group pass: the first-level one, or the second
// where a tile is so large that its arithmetic takes longer than reading its weights from there.
template <class V>
constexpr size_t sliceBytes = V::lanes == 16       ? 131072
                              : V::registers == 32 ? 24576
                                                   : 16384;

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

// Starts, multiplies, adds up and stores the sums of N vectors of columns that lie together; N may be 0.
template <class V, int S, int N>
struct Columns {
  static constexpr int L = V::lanes;
  V sum[S][N > 0 ? N : 1];
  RNN_INLINE Columns(const float* start) {
#pragma GCC unroll 64
    for (int n = 0; n < N; n++)
      sum[0][n] = V::load(start + n * L);
#pragma GCC unroll 8
    for (int s = 1; s < S; s++)
#pragma GCC unroll 64
      for (int n = 0; n < N; n++)
        sum[s][n] = V::set(0.0f);
  }
  RNN_INLINE void add(int s, const float* w, V a) {
#pragma GCC unroll 64
    for (int n = 0; n < N; n++)
      sum[s % S][n] = fma(V::load(w + (s * N + n) * L), a, sum[s % S][n]);
  }
  RNN_INLINE void store(float* out) {
    fold<S>(sum);
#pragma GCC unroll 64
    for (int n = 0; n < N; n++)
      sum[0][n].store(out + n * L);
  }
};

// One row times N vectors of columns that lie together, and M half ones that lie behind: out = start + a · w.
template <class V, int S, int N, int M>
RNN_INLINE void sumRow(const float* w, const float* start, const float* a, size_t K, float* out) {
  using H = Half<V>;
  constexpr int whole = N * V::lanes, rest = M * H::lanes;
  const float* h = w + whole * K;
  Columns<V, S, N> sums(start);
  Columns<H, S, M> halves(start + whole);
  const auto add = [&](int s, size_t k) {
    sums.add(s, w, V::broadcast(a + k));
    if constexpr (M > 0)
      halves.add(s, h, H::broadcast(a + k));
  };
  // Several inputs a turn keep the loop's own instructions few.
  constexpr int turn = S > 1 ? S : N < 4 ? 4 : N < 12 ? 2 : 1;
  size_t k = 0;
  for (; k + turn <= K; k += turn, w += turn * whole, h += turn * rest)
#pragma GCC unroll 8
    for (int s = 0; s < turn; s++)
      add(s, k + s);
#pragma GCC unroll 8
  for (int s = 0; s < turn - 1; s++)
    if (k + s < K)
      add(s, k + s);
  sums.store(out);
  halves.store(out + whole);
}

// Where blocks begin, counted in panels of the width that the block's are of; the inverse of what pack.cpp does.
struct Block {
  size_t firstPanel, panels;
};
inline Block blockAt(const Product& p, size_t block) {
  return {block * p.narrow + least(block, p.wide), p.narrow + (block < p.wide)};
}
inline Block halfBlock(size_t panels) { return {2 * panels, 1}; }

// Calls visit(width, block) with the block and the vector that is as wide as its panels.
template <class V>
struct Width {
  using Vec = V;
};
template <class V, class Visit>
RNN_INLINE void visitBlock(const Product& p, size_t index, const Visit& visit) {
  const Block block = blockAt(p, index);
  if constexpr (V::halves)
    if (p.half && index + 1 == p.blocks)
      return visit(Width<Half<V>>{}, halfBlock(block.firstPanel));
  visit(Width<V>{}, block);
}

// A single row takes half a panel along with the block before it: its few sums would wait for themselves alone.
inline size_t rowBlocks(const Product& p) { return p.blocks - (p.half && p.blocks > 1); }
template <class V>
inline bool takesHalf(const Product& p, size_t block) {
  return V::halves && p.half && block + 1 == rowBlocks(p);
}

// Blocks [begin, end) of a product, from the last to the first where `backwards`.
struct Span {
  size_t begin, end;
  bool backwards;
  size_t at(size_t i) const { return backwards ? end - 1 - i : begin + i; }
  size_t size() const { return end - begin; }
};

// What is done for one row of a product, block by block, is picked by the panels of a block and by whether half a panel
// is taken along: here the sums alone.
template <class V, int G, int S>
struct RowSums {
  using Vec = V;
  using WithHalf = RowSums;
  using OfHalf = RowSums<Half<V>, G, S>;
  using Call = void (*)(const Product& p, size_t panel, const float* a, float* out);
  template <int M, bool half>
  struct Of {
    // The sums of M panels from `panel` on, into a packed row that begins there.
    static RNN_INLINE void inlined(const Product& p, size_t panel, const float* a, float* out) {
      const size_t offset = panel * G * V::lanes;
      sumRow<V, S, M * G, half ? G : 0>(p.weights + offset * p.K, p.start + offset, a, p.K, out);
    }
    static RNN_APART void call(const Product& p, size_t panel, const float* a, float* out) {
      inlined(p, panel, a, out);
    }
  };
  static constexpr int most = onlyPanels<V>(G, S);
};

// `Row::Of<M, half>::call` for 1 to `most` panels.
template <class Call, int most>
struct Calls {
  Call of[most];
};
template <class Row, bool half, int M, class Calls>
constexpr void fillCalls(Calls& calls) {
  if constexpr (M > 1)
    fillCalls<Row, half, M - 1>(calls);
  calls.of[M - 1] = Row::template Of<M, half>::call;
}
template <class Row, bool half>
inline typename Row::Call callOf(size_t panels) {
  static constexpr auto calls = [] {
    Calls<typename Row::Call, Row::most> calls{};
    fillCalls<Row, half, Row::most>(calls);
    return calls;
  }();
  return calls.of[panels - 1];
}

// The calls of a Row for the blocks of one product.
template <class Call>
struct RowCalls {
  Call narrow = nullptr, wide = nullptr, half = nullptr;
  Call at(const Product& p, const Block& block, bool takesHalf) const {
    return takesHalf ? half : block.panels == p.narrow ? narrow : wide;
  }
};

template <class Row>
inline RowCalls<typename Row::Call> rowCalls(const Product& p) {
  using V = typename Row::Vec;
  RowCalls<typename Row::Call> calls;
  if (p.narrow)
    calls.narrow = callOf<Row, false>(p.narrow);
  if (p.wide)
    calls.wide = callOf<Row, false>(p.narrow + 1);
  if constexpr (V::halves)
    if (p.half)
      calls.half = p.narrow ? callOf<typename Row::WithHalf, true>(p.narrow) : Row::OfHalf::template Of<1, false>::call;
  return calls;
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

// Some panels of a block: what the tiles of two rows and more take at a time.
struct Part {
  const Block& block;
  size_t first, panels; // within the block
  size_t firstPanel() const { return block.firstPanel + first; }
};

// Calls visit(part) for all parts of a block.
template <class V, int G, int S, class Visit>
inline void eachPart(const Block& block, size_t rows, const Visit& visit) {
  constexpr int R = tileRows<V>(G, S);
  const size_t tiles = (rows + R - 1) / R, most = tilePanels<V>(G, S, int((rows + tiles - 1) / tiles));
  size_t first = 0;
  for (size_t left = (block.panels + most - 1) / most; left > 0; left--) {
    const size_t panels = (block.panels - first + left - 1) / left;
    visit(Part{block, first, panels});
    first += panels;
  }
}

// The sums of up to a group of rows over a part, into packed rows that begin there.
template <class V, int G, int S>
void partSums(const Product& p, const Part& part, const float* a, ptrdiff_t aStride, size_t rows, float* out,
              size_t outStride) {
  constexpr int R = tileRows<V>(G, S), L = V::lanes;
  const size_t tiles = (rows + R - 1) / R, wide = rows % tiles;
  const int low = int(rows / tiles), panels = int(part.panels);
  const Tile high = wide ? tileOf<V, G, S, R, tilePanels<V>(G, S, R)>(low + 1, panels) : nullptr;
  const Tile rest = tileOf<V, G, S, R, tilePanels<V>(G, S, R)>(low, panels);
  // Partial sums cannot be cut: they are for short products anyway.
  const size_t slice = S > 1 ? p.K : sliceBytes<V> / (panels * G * L * sizeof(float));
  const size_t wStride = part.block.panels * G * L;
  const float* weights = p.weights + part.block.firstPanel * G * L * p.K + part.first * G * L;
  for (size_t k = 0; k == 0 || k < p.K; k += slice) {
    const float* start = k ? nullptr : p.start + part.firstPanel() * G * L;
    size_t row = 0;
    for (size_t i = 0; i < tiles; i++) {
      const bool isWide = i < wide;
      (isWide ? high : rest)(weights + k * wStride, wStride, a + ptrdiff_t(row) * aStride + k, aStride,
                             least(slice, p.K - k), start, out + row * outStride, outStride);
      row += low + isWide;
    }
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
      } else
        for (size_t i = 0; i < p.blocks; i++)
          visitBlock<V>(p, i, [&](auto width, const Block& block) {
            using W = typename decltype(width)::Vec;
            eachPart<W, G, S>(block, rows, [&](const Part& part) {
              partSums<W, G, S>(p, part, a, args.aStride, rows, y + part.firstPanel() * G * W::lanes, args.yStride);
            });
          });
    }
  });
}

} // namespace
