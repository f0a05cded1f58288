// The kernel source: products over packed panels and the recurrent loop, written once over <Vec, Cell>.
// Each isa/*.cpp includes it after defining Vec; everything here is internal to that one object.
#pragma once
#include "kernels.h"
#include "math.h"

#include "cells/cells.h"

namespace {

using namespace native_rnn;

// Accumulators of a tile of rows: what fits beside one broadcast and one weight vector.
template <class V>
constexpr int tileSums = V::registers == 32 ? 24 : 12;
// Accumulators of one row: enough to hide the latency of fma; more would only make the code larger.
template <class V>
constexpr int rowSums = V::registers == 32 ? 16 : 12;

constexpr int clamp(int x, int low, int high) { return x < low ? low : x > high ? high : x; }
constexpr size_t least(size_t a, size_t b) { return a < b ? a : b; }

// The shapes of the register tiles: panels of a block (one row), rows of a tile, panels of a tile of that many rows.
template <class V>
constexpr int blockPanels(int G, int S) {
  return clamp(rowSums<V> / (G * S), 1, 8);
}
template <class V>
constexpr int tileRows(int G, int S) {
  return clamp(tileSums<V> / (G * S), 1, V::registers == 32 ? 8 : 6);
}
template <class V>
constexpr int tilePanels(int G, int S, int R) {
  return S > 1 ? 1 : clamp(tileSums<V> / (G * R), 1, blockPanels<V>(G, 1));
}
// Most partial sums (as log2) that a product of G gates is asked for; pack.cpp chooses within it.
constexpr int mostPartials(int G) { return G == 1 ? 3 : G == 4 ? 1 : 2; }
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
void sumRow(const float* w, const float* start, const float* a, size_t K, float* out) {
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
  const size_t narrow = p.panels / p.blocks, wide = p.panels % p.blocks;
  return {block * narrow + least(block, wide), narrow + (block < wide)};
}

// Blocks [begin, end) of a product, from the last to the first where `backwards`.
struct Span {
  size_t begin, end;
  bool backwards;
  size_t at(size_t i) const { return backwards ? end - 1 - i : begin + i; }
  size_t size() const { return end - begin; }
};

using RowSums = void (*)(const float*, const float*, const float*, size_t, float*);

// The row kernel of m panels; m ≤ M.
template <class V, int G, int S, int M = blockPanels<V>(G, S)>
inline RowSums rowSumsOf(size_t m) {
  if constexpr (M > 1)
    if (m < M)
      return rowSumsOf<V, G, S, M - 1>(m);
  return sumRow<V, S, M * G>;
}

// A product as one row meets it: the kernels of its two widths of blocks, picked once.
template <class V, int G, int S>
struct RowProduct {
  const Product& p;
  RowSums narrow = rowSumsOf<V, G, S>(p.panels / p.blocks), wide = rowSumsOf<V, G, S>(p.panels / p.blocks + 1);

  // The sums of one block, into packed rows that begin at its first panel.
  RNN_INLINE void sum(const Block& block, const float* a, float* out) const {
    const size_t offset = block.firstPanel * G * V::lanes;
    (block.panels == p.panels / p.blocks ? narrow : wide)(p.weights + offset * p.K, p.start + offset, a, p.K, out);
  }
};

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
  if constexpr (R > 1)
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

// Runs finish(row, panel, sums of the panel's gates) for every row and panel of the span.
template <class V, int G, int S, class Finish>
inline void sweep(const RowProduct<V, G, S>& product, const Span& span, const float* a, size_t aStride, size_t rows,
                  float* carry, const Finish& finish) {
  const auto finishBlock = [&](size_t row, const Block& block, const float* sums) {
    for (size_t m = 0; m < block.panels; m++) {
      V sum[G];
#pragma GCC unroll 4
      for (int g = 0; g < G; g++)
        sum[g] = V::load(sums + (m * G + g) * V::lanes);
      finish(row, block.firstPanel + m, sum);
    }
  };
  if (rows == 1) {
    for (size_t i = 0; i < span.size(); i++) {
      const Block block = blockAt(product.p, span.at(i));
      alignas(64) float sums[blockPanels<V>(G, S) * G * V::lanes];
      product.sum(block, a, sums);
      finishBlock(0, block, sums);
    }
    return;
  }
  for (size_t first = 0; first < rows; first += carryRows) {
    const size_t count = least(carryRows, rows - first);
    for (size_t i = 0; i < span.size(); i++) {
      const Block block = blockAt(product.p, span.at(i));
      const size_t stride = block.panels * G * V::lanes;
      groupBlock<V, G, S>(product.p, block, a + first * aStride, aStride, count, carry, stride);
      for (size_t r = 0; r < count; r++)
        finishBlock(first + r, block, carry + r * stride);
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
    if (args.rows == 1) {
      const RowProduct<V, G, S> row{p};
      for (size_t i = 0; i < p.blocks; i++) {
        const Block block = blockAt(p, i);
        row.sum(block, args.a, args.y + block.firstPanel * G * V::lanes);
      }
      return;
    }
    for (size_t first = 0; first < args.rows; first += carryRows)
      for (size_t i = 0; i < p.blocks; i++) {
        const Block block = blockAt(p, i);
        groupBlock<V, G, S>(p, block, args.a + ptrdiff_t(first) * args.aStride, args.aStride,
                            least(carryRows, args.rows - first),
                            args.y + first * args.yStride + block.firstPanel * G * V::lanes, args.yStride);
      }
  });
}

// One time step: where its old state, new state and input sums lie.
struct Step {
  const float* x;
  const float* h;
  float* hNext;
};

// What follows the first product: the cell on registers, its result to the new state or to the second product.
template <class V, class C>
struct FinishCell {
  const RunArgs& run;
  Step step;
  float* out;
  size_t outStride;

  RNN_INLINE void operator()(size_t row, size_t panel, const V* sums) const {
    constexpr size_t L = V::lanes, gates = C::gates + C::candidates;
    const size_t unit = panel * L;
    const float* xRow = step.x + row * run.xRow + unit * gates;
    V x[C::gates];
#pragma GCC unroll 4
    for (int g = 0; g < C::gates; g++)
      x[g] = V::load(xRow + g * L);
    Unit<V> u;
    if constexpr (C::readsState)
      u.h = V::load(step.h + row * run.hStride + unit);
    if constexpr (C::hasCellState)
      u.c = V::load(run.c + row * run.unitStride + unit);
    if constexpr (C::hasPeepholes)
      for (int g = 0; g < 3; g++)
        u.peephole[g] = V::load(run.peephole + unit * 3 + g * L);
    C::next(x, sums, u).store(out + row * outStride + unit);
    if constexpr (C::hasCellState)
      u.c.store(run.c + row * run.unitStride + unit);
    if constexpr (C::candidates > 0)
      u.update.store(run.update + row * run.unitStride + unit);
  }
};

// What follows the second product of a cell that has one.
template <class V, class C>
struct FinishCandidate {
  const RunArgs& run;
  Step step;

  void operator()(size_t row, size_t panel, const V* sums) const {
    constexpr size_t L = V::lanes, gates = C::gates + C::candidates;
    const size_t unit = panel * L;
    Unit<V> u;
    u.h = V::load(step.h + row * run.hStride + unit);
    u.update = V::load(run.update + row * run.unitStride + unit);
    const V x = V::load(step.x + row * run.xRow + unit * gates + C::gates * L);
    C::candidate(x, sums[0], u).store(step.hNext + row * run.hStride + unit);
  }
};

// What follows the projection: nothing.
template <class V>
struct FinishProjection {
  const RunArgs& run;
  Step step;

  void operator()(size_t row, size_t panel, const V* sums) const {
    sums[0].store(step.hNext + row * run.hStride + panel * V::lanes);
  }
};

inline Span spanOf(const RunArgs& run, const Product& p, bool backwards) {
  return {p.blocks * run.share / run.shares, p.blocks * (run.share + 1) / run.shares, backwards};
}

inline void meet(const RunArgs& run) {
  if (run.meet)
    run.meet(run.meetArgument);
}

template <class V, class C, int S>
void runSteps(const RunArgs& run) {
  const bool two = C::candidates > 0 || run.projects;
  const RowProduct<V, C::gates, S> first{run.first};
  for (size_t t = 0; t < run.T; t++) {
    const Step step{run.x + t * run.xStep, run.h[t & 1], run.h[~t & 1]};
    // Odd steps walk backwards over the weights, to meet first what the step before left in the cache.
    const bool backwards = t & 1;
    const FinishCell<V, C> finish{run, step, two ? run.between : step.hNext, two ? run.unitStride : run.hStride};
    sweep(first, spanOf(run, run.first, backwards), step.h, run.hStride, run.B, run.carry, finish);
    meet(run);
    if (two) {
      withPartials<1>(run.second.partials, [&](auto partials) {
        constexpr int S2 = decltype(partials)::count;
        const Span span = spanOf(run, run.second, backwards);
        const RowProduct<V, 1, S2> second{run.second};
        if constexpr (C::candidates > 0)
          sweep(second, span, run.between, run.unitStride, run.B, run.carry, FinishCandidate<V, C>{run, step});
        else if constexpr (C::hasCellState)
          sweep(second, span, run.between, run.unitStride, run.B, run.carry, FinishProjection<V>{run, step});
      });
      meet(run);
    }
    if (run.y && run.share == 0)
      for (size_t b = 0; b < run.B; b++)
        __builtin_memcpy(run.y[b] + ptrdiff_t(t) * run.yStep, step.hNext + b * run.hStride,
                         run.outputs * sizeof(float));
  }
}

template <class V, class C>
void run(const RunArgs& args) {
  withPartials<C::gates>(args.first.partials, [&](auto partials) { runSteps<V, C, decltype(partials)::count>(args); });
}

// The table of an ISA; built at compile time.
template <class V>
constexpr Kernels table(const char* name, uint32_t needs) {
  Kernels kernels{};
  kernels.name = name;
  kernels.needs = needs;
  kernels.fused = V::fused;
  kernels.lanes = V::lanes;
  for (int G = 1; G <= 4; G++)
    for (int log2 = 0; log2 <= 3; log2++)
      kernels.maxPanels[G - 1][log2] = blockPanels<V>(G, 1 << log2);
  kernels.product[0] = product<V, 1>;
  kernels.product[1] = product<V, 2>;
  kernels.product[2] = product<V, 3>;
  kernels.product[3] = product<V, 4>;
  size_t i = 0;
  eachCell([&](auto cell) { kernels.run[i++] = run<V, decltype(cell)>; });
  return kernels;
}

} // namespace
