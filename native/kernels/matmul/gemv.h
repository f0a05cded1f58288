// Sums of one row over packed panels, block by block. Included by run.h only, internal to each ISA's object.
#pragma once
#include "../kernels.h"
#include "../simd/activations.h"
#include "tiling.h"

namespace {

using namespace native_rnn;

constexpr size_t least(size_t a, size_t b) { return a < b ? a : b; }

// The vector of half panels; never used where there are none.
template <class V, bool = V::hasHalfPanels>
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
RNN_INLINE void reduceSplits(V (&sum)[S][N]) {
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
struct Accumulators {
  static constexpr int L = V::lanes;
  V sum[S][N > 0 ? N : 1];
  RNN_INLINE Accumulators(const float* start) {
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
    reduceSplits<S>(sum);
#pragma GCC unroll 64
    for (int n = 0; n < N; n++)
      sum[0][n].store(out + n * L);
  }
};

// One row times N vectors of columns that lie together, and M half ones that lie behind: out = start + a · w.
template <class V, int S, int N, int M>
RNN_INLINE void gemv(const float* w, const float* start, const float* a, size_t K, float* out) {
  using H = Half<V>;
  constexpr int whole = N * V::lanes, rest = M * H::lanes;
  const float* h = w + whole * K;
  Accumulators<V, S, N> sums(start);
  Accumulators<H, S, M> halves(start + whole);
  const auto add = [&](int s, size_t k) {
    sums.add(s, w, V::broadcast(a + k));
    if constexpr (M > 0)
      halves.add(s, h, H::broadcast(a + k));
  };
  // Several inputs a turn keep the loop's own instructions few.
  constexpr int unroll = S > 1 ? S : N < 4 ? 4 : N < 12 ? 2 : 1;
  size_t k = 0;
  for (; k + unroll <= K; k += unroll, w += unroll * whole, h += unroll * rest)
#pragma GCC unroll 8
    for (int s = 0; s < unroll; s++)
      add(s, k + s);
#pragma GCC unroll 8
  for (int s = 0; s < unroll - 1; s++)
    if (k + s < K)
      add(s, k + s);
  sums.store(out);
  halves.store(out + whole);
}

// Where blocks begin, counted in panels of the width that the block's are of; the inverse of what pack.cpp does.
struct Block {
  size_t firstPanel, panels;
};
inline Block blockAt(const PackedView& p, size_t block) {
  return {block * p.panelsPerBlock + least(block, p.largerBlocks), p.panelsPerBlock + (block < p.largerBlocks)};
}
inline Block tailHalfBlock(size_t panels) { return {2 * panels, 1}; }

// Calls visit(width, block) with the block and the vector that is as wide as its panels.
template <class V>
struct Width {
  using Vec = V;
};
template <class V, class Visit>
RNN_INLINE void withBlockWidth(const PackedView& p, size_t index, const Visit& visit) {
  const Block block = blockAt(p, index);
  if constexpr (V::hasHalfPanels)
    if (p.tailHalf && index + 1 == p.blocks)
      return visit(Width<Half<V>>{}, tailHalfBlock(block.firstPanel));
  visit(Width<V>{}, block);
}

// A single row takes half a panel along with the block before it: its few sums would wait for themselves alone.
inline size_t gemvBlocks(const PackedView& p) { return p.blocks - (p.tailHalf && p.blocks > 1); }
template <class V>
inline bool joinsTailHalf(const PackedView& p, size_t block) {
  return V::hasHalfPanels && p.tailHalf && block + 1 == gemvBlocks(p);
}

// Blocks [begin, end) of a product, from the last to the first where `backwards`.
struct BlockRange {
  size_t begin, end;
  bool reverse;
  size_t at(size_t i) const { return reverse ? end - 1 - i : begin + i; }
  size_t size() const { return end - begin; }
};

// What is done for one row of a product, block by block, is picked by the panels of a block and by whether half a panel
// is taken along: here the sums alone.
template <class V, int G, int S>
struct GemvPanels {
  using Vec = V;
  using WithHalf = GemvPanels;
  using OfHalf = GemvPanels<Half<V>, G, S>;
  using Kernel = void (*)(const PackedView& p, size_t panel, const float* a, float* out);
  template <int M, bool half>
  struct Of {
    // The sums of M panels from `panel` on, into a packed row that begins there.
    static RNN_INLINE void inlined(const PackedView& p, size_t panel, const float* a, float* out) {
      const size_t offset = panel * G * V::lanes;
      gemv<V, S, M * G, half ? G : 0>(p.weights + offset * p.K, p.bias + offset, a, p.K, out);
    }
    static RNN_NOINLINE void call(const PackedView& p, size_t panel, const float* a, float* out) {
      inlined(p, panel, a, out);
    }
  };
  static constexpr int most = singleBlockPanels<V>(G, S);
};

// `Row::Of<M, half>::call` for 1 to `most` panels.
template <class Kernel, int most>
struct KernelsByPanels {
  Kernel of[most];
};
template <class Row, bool half, int M, class KernelsByPanels>
constexpr void fillKernels(KernelsByPanels& kernels) {
  if constexpr (M > 1)
    fillKernels<Row, half, M - 1>(kernels);
  kernels.of[M - 1] = Row::template Of<M, half>::call;
}
template <class Row, bool half>
inline typename Row::Kernel kernelOf(size_t panels) {
  static constexpr auto kernels = [] {
    KernelsByPanels<typename Row::Kernel, Row::most> kernels{};
    fillKernels<Row, half, Row::most>(kernels);
    return kernels;
  }();
  return kernels.of[panels - 1];
}

// The calls of a Row for the blocks of one product; wholeCalls: for those without half a panel.
template <class Kernel>
struct BlockKernels {
  Kernel regular = nullptr, larger = nullptr, tailHalf = nullptr;
  Kernel at(const PackedView& p, const Block& block, bool joinsHalf) const {
    return joinsHalf ? tailHalf : block.panels == p.panelsPerBlock ? regular : larger;
  }
};

template <class Row>
inline BlockKernels<typename Row::Kernel> wholeBlockKernels(const PackedView& p) {
  BlockKernels<typename Row::Kernel> kernels;
  if (p.panelsPerBlock)
    kernels.regular = kernelOf<Row, false>(p.panelsPerBlock);
  if (p.largerBlocks)
    kernels.larger = kernelOf<Row, false>(p.panelsPerBlock + 1);
  return kernels;
}
template <class Row>
inline BlockKernels<typename Row::Kernel> gemvKernels(const PackedView& p) {
  using V = typename Row::Vec;
  BlockKernels<typename Row::Kernel> kernels = wholeBlockKernels<Row>(p);
  if constexpr (V::hasHalfPanels)
    if (p.tailHalf)
      kernels.tailHalf = p.panelsPerBlock ? kernelOf<typename Row::WithHalf, true>(p.panelsPerBlock)
                                          : Row::OfHalf::template Of<1, false>::call;
  return kernels;
}

} // namespace
