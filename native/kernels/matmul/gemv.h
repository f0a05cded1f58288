// One row times packed panels, block by block: out = bias + a · w. Internal to each instruction set's object.
#pragma once
#include "by_panels.h"
#include "tiling.h"
#include "weights.h"

namespace {

constexpr size_t least(size_t a, size_t b) { return a < b ? a : b; }

// Adds the k-splits pairwise, always in the same order, into the first.
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

// What sums of weights with scales start with, of one row or of a tile.
constexpr size_t mostTileColumns = 512;
alignas(64) constexpr float zeroBias[mostTileColumns] = {};

// Whether weights of that type may have scales; float32's have them where int8 was widened.
template <class V, class W>
constexpr bool mayHaveScales = W::hasScales || (W::type == WeightType::f32 && fusesInt8<V>);
template <class V>
constexpr bool mayHaveScales<V, Narrow> = true;

// The accumulators of N vectors of columns that lie together; N may be 0.
template <class V, class W, int S, int N>
struct Accumulators {
  using Stored = typename W::Stored;
  static constexpr int L = V::lanes;
  V sum[S][N > 0 ? N : 1];
  RNN_INLINE Accumulators(const float* bias) {
#pragma GCC unroll 64
    for (int n = 0; n < N; n++)
      sum[0][n] = W::hasScales ? V::set(0.0f) : V::load(bias + n * L);
#pragma GCC unroll 8
    for (int s = 1; s < S; s++)
#pragma GCC unroll 64
      for (int n = 0; n < N; n++)
        sum[s][n] = V::set(0.0f);
  }
  // The columns' weights of k + s begin s · N vectors behind w.
  RNN_INLINE void add(int s, const Stored* w, V a) {
#pragma GCC unroll 64
    for (int n = 0; n < N; n++)
      sum[s % S][n] = fma(W::template load<V>(w + (s * N + n) * L), a, sum[s % S][n]);
  }
  // The same of k and k + 1, whose weights lie together.
  RNN_INLINE void addPair(const Stored* w, V a, V b) {
#pragma GCC unroll 64
    for (int n = 0; n < N; n++) {
      const auto pair = W::template loadPair<V>(w + n * L);
      sum[0][n] = fma(pair.first, a, sum[0][n]);
      sum[1 % S][n] = fma(pair.second, b, sum[1 % S][n]);
    }
  }
  RNN_INLINE void addFirstOfPair(const Stored* w, V a) {
#pragma GCC unroll 64
    for (int n = 0; n < N; n++)
      sum[0][n] = fma(W::template loadPair<V>(w + n * L).first, a, sum[0][n]);
  }
  // `bias` and `scales` where weights have scales.
  RNN_INLINE void store(float* out, const float* bias, const float* scales) {
    reduceSplits<S>(sum);
    if (W::hasScales || RNN_UNLIKELY(scales != nullptr))
#pragma GCC unroll 64
      for (int n = 0; n < N; n++)
        sum[0][n] = fma(V::load(scales + n * L), sum[0][n], V::load(bias + n * L));
#pragma GCC unroll 64
    for (int n = 0; n < N; n++)
      sum[0][n].store(out + n * L);
  }
};

// Asks for what a row reads some turns after the N vectors of weights from w on.
template <class V, int N, class Stored>
RNN_INLINE void askAhead(const Stored* w) {
  constexpr size_t line = 64, bytes = N * V::lanes * sizeof(Stored);
#pragma GCC unroll 64
  for (size_t i = 0; i < bytes; i += line)
    RNN_PREFETCH(reinterpret_cast<const char*>(w) + tilingOf<V>.asksAheadBytes + i, 0);
}
// Whether to: known when the kernel is compiled, or asked at each turn.
struct AskAlways {
  static constexpr bool asks = true;
};
struct AskNever {
  static constexpr bool asks = false;
};
struct AskIf {
  bool asks;
};
// Calls visit(ahead). Loops of f16 have no room for a question, those of int8 none for asking.
template <class V, class W, int S, class Visit>
RNN_INLINE void withAsking(bool asksAhead, const Visit& visit) {
  if constexpr (tilingOf<V>.asksAheadBytes == 0 || W::type == WeightType::int8 || S > 1)
    visit(AskNever{});
  else if constexpr (W::type != WeightType::f16)
    visit(AskIf{asksAhead});
  else if (asksAhead)
    visit(AskAlways{});
  else
    visit(AskNever{});
}

// One row times N vectors of columns that lie together, and M half ones that lie behind all their k.
template <class V, class W, int S, int N, int M, class Ahead>
RNN_INLINE void gemv(const typename W::Stored* w, const float* bias, const float* scales, const float* a, size_t K,
                     Ahead ahead, float* out) {
  using H = Half<V>;
  constexpr int whole = N * V::lanes, tail = M * H::lanes;
  const typename W::Stored* h = w + whole * K;
  const float* const start = RNN_UNLIKELY(scales != nullptr) ? zeroBias : bias;
  Accumulators<V, W, S, N> sums(start);
  Accumulators<H, W, S, M> halves(start + whole);
  const auto add = [&](int s, size_t k) {
    if (ahead.asks)
      askAhead<V, N>(w + s * whole);
    sums.add(s, w, V::broadcast(a + k));
    if constexpr (M > 0)
      halves.add(s, h, H::broadcast(a + k));
  };
  // Several inputs a turn of the loop keep its own instructions few.
  constexpr int unroll = S > 1 ? S : N < 4 ? 4 : N < (tilingOf<V>.loadsComeFirst ? 5 : 12) ? 2 : 1;
  size_t k = 0;
  for (; k + unroll <= K; k += unroll, w += unroll * whole, h += unroll * tail)
#pragma GCC unroll 8
    for (int s = 0; s < unroll; s++)
      add(s, k + s);
#pragma GCC unroll 8
  for (int s = 0; s < unroll - 1; s++)
    if (k + s < K)
      add(s, k + s);
  sums.store(out, bias, scales);
  halves.store(out + whole, bias + whole, scales ? scales + whole : nullptr);
}

// The same where two inputs' weights lie together.
template <class V, class W, int S, int N, int M, class Ahead>
RNN_INLINE void gemvPairs(const typename W::Stored* w, const float* bias, const float* a, size_t K, Ahead ahead,
                          float* out) {
  using H = Half<V>;
  constexpr int whole = N * V::lanes, tail = M * H::lanes;
  const typename W::Stored* h = w + whole * ((K + 1) / 2);
  Accumulators<V, W, S, N> sums(bias);
  Accumulators<H, W, S, M> halves(bias + whole);
  const auto add = [&](size_t k) {
    if (ahead.asks)
      askAhead<V, N>(w);
    sums.addPair(w, V::broadcast(a + k), V::broadcast(a + k + 1));
    if constexpr (M > 0)
      halves.addPair(h, H::broadcast(a + k), H::broadcast(a + k + 1));
    w += whole, h += tail;
  };
  size_t k = 0;
  if constexpr (N < 4)
    for (; k + 4 <= K; k += 4)
      add(k), add(k + 2);
  for (; k + 2 <= K; k += 2)
    add(k);
  if (k < K) {
    sums.addFirstOfPair(w, V::broadcast(a + k));
    if constexpr (M > 0)
      halves.addFirstOfPair(h, H::broadcast(a + k));
  }
  sums.store(out, nullptr, nullptr);
  halves.store(out + whole, nullptr, nullptr);
}

// The weights of the block that begins with a panel of V, of a view of G gates.
template <class V, class W, int G>
RNN_INLINE const typename W::Stored* weightsAt(const PackedView& p, size_t firstPanel) {
  return static_cast<const typename W::Stored*>(p.weights) + blockOffset(firstPanel, G, V::lanes, p.K);
}
template <class V, int G>
RNN_INLINE const float* biasAt(const PackedView& p, size_t panel) {
  return p.bias + rowOffset(panel, G, V::lanes);
}
template <class V, int G>
RNN_INLINE const float* scalesAt(const PackedView& p, size_t panel) {
  return p.scales + rowOffset(panel, G, V::lanes);
}

// One row times the panels of a block, into a packed row that begins with them (a family for by_panels.h).
template <class V, class W, int G, int S>
struct GemvPanels {
  using Vec = V;
  using WithHalf = GemvPanels;
  using OfHalf = GemvPanels<Half<V>, W, G, S>;
  using Kernel = void (*)(const PackedView& p, size_t panel, const float* a, float* out);
  template <int M, bool half>
  struct Of {
    static RNN_INLINE void inlined(const PackedView& p, size_t panel, const float* a, float* out) {
      constexpr int vectors = M * G, halves = half ? G : 0;
      const auto* const weights = weightsAt<V, W, G>(p, panel);
      const float* const bias = biasAt<V, G>(p, panel);
      withAsking<V, W, S>(p.asksAhead, [&](auto ahead) {
        if constexpr (groupSize<W> == 2)
          gemvPairs<V, W, S, vectors, halves>(weights, bias, a, p.inputs, ahead, out);
        else
          gemv<V, W, S, vectors, halves>(
              weights, bias, mayHaveScales<V, W> && p.scales ? scalesAt<V, G>(p, panel) : nullptr, a, p.K, ahead, out);
      });
    }
    static RNN_NOINLINE void call(const PackedView& p, size_t panel, const float* a, float* out) {
      inlined(p, panel, a, out);
    }
  };
  static constexpr int most = singleBlockPanels<V>(G, S);
};

// Whether half a panel behind a block is a product of its own: of narrower types, whose code for both at once would be
// a third of theirs; but for one gate, whose half panel alone would wait for its one sum.
template <class W, int G, int S>
constexpr bool splitsTailHalf = isNarrow<W> && (G > 1 || S > 1);

template <class V, class W, int G, int S>
inline BlockKernels<typename GemvPanels<V, W, G, S>::Kernel> gemvKernels(const PackedView& p) {
  if constexpr (isNarrow<W>)
    return withNarrowType(p.type, [&](auto w) {
      using Panels = GemvPanels<V, decltype(w), G, S>;
      if constexpr (splitsTailHalf<W, G, S> && V::hasHalfPanels) {
        auto kernels = wholePanelKernels<Panels>(p);
        kernels.withHalf = Panels::OfHalf::template Of<1, false>::call;
        return kernels;
      } else {
        return blockKernels<Panels>(p);
      }
    });
  else
    return blockKernels<GemvPanels<V, W, G, S>>(p);
}

// One row of inputs, as the blocks of a product take it.
template <class V, class W, int G, int S>
class RowProduct {
public:
  RNN_INLINE RowProduct(const PackedView& p, const float* a) : p_(p), a_(a), kernels_(gemvKernels<V, W, G, S>(p)) {}
  // Times a block, and half a panel behind it, into packed sums that begin with it.
  RNN_INLINE void multiply(const Block& block, bool half, float* out) const {
    if (!splitsTailHalf<W, G, S> || !half)
      return kernels_.at(p_, block, half)(p_, block.firstPanel, a_, out);
    if (block.panels > 0)
      kernels_.at(p_, block, false)(p_, block.firstPanel, a_, out);
    kernels_.withHalf(p_, 2 * (block.firstPanel + block.panels), a_, out + rowOffset(block.panels, G, V::lanes));
  }

private:
  const PackedView& p_;
  const float* const a_;
  const BlockKernels<typename GemvPanels<V, W, G, S>::Kernel> kernels_;
};

// Blocks [begin, end) of a product, from the last to the first where `reverse`.
struct BlockRange {
  size_t begin, end;
  bool reverse;
  size_t at(size_t i) const { return reverse ? end - 1 - i : begin + i; }
  size_t size() const { return end - begin; }
};

// What a thread does of the blocks that there are.
inline BlockRange threadBlocks(const RecurrenceArgs::ThreadShare& threads, size_t blocks, bool reverse) {
  return {blocks * threads.index / threads.count, blocks * (threads.index + 1) / threads.count, reverse};
}

} // namespace
