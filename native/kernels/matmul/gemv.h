// Sums of one row over packed panels, block by block. Included by run.h only, internal to each ISA's object.
#pragma once
#include "../kernels.h"
#include "../simd/activations.h"
#include "tiling.h"

namespace {

using namespace native_rnn;

constexpr size_t least(size_t a, size_t b) { return a < b ? a : b; }

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

// The calls of a Row for the blocks of one product; wholeCalls: for those without half a panel.
template <class Call>
struct RowCalls {
  Call narrow = nullptr, wide = nullptr, half = nullptr;
  Call at(const Product& p, const Block& block, bool takesHalf) const {
    return takesHalf ? half : block.panels == p.narrow ? narrow : wide;
  }
};

template <class Row>
inline RowCalls<typename Row::Call> wholeCalls(const Product& p) {
  RowCalls<typename Row::Call> calls;
  if (p.narrow)
    calls.narrow = callOf<Row, false>(p.narrow);
  if (p.wide)
    calls.wide = callOf<Row, false>(p.narrow + 1);
  return calls;
}
template <class Row>
inline RowCalls<typename Row::Call> rowCalls(const Product& p) {
  using V = typename Row::Vec;
  RowCalls<typename Row::Call> calls = wholeCalls<Row>(p);
  if constexpr (V::halves)
    if (p.half)
      calls.half = p.narrow ? callOf<typename Row::WithHalf, true>(p.narrow) : Row::OfHalf::template Of<1, false>::call;
  return calls;
}

} // namespace
