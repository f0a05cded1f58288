// Several rows of floats times some panels, tile by tile; narrower weights are widened on the way. Internal to each
// instruction set's object.
#pragma once
#include "tile.h"

namespace {

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

// y = bias + scale · y, of columns that lie together.
template <class V>
inline void applyScales(float* y, size_t stride, size_t rows, size_t columns, const float* scales, const float* bias) {
  for (size_t r = 0; r < rows; r++, y += stride)
    for (size_t i = 0; i < columns; i += V::lanes)
      fma(V::load(scales + i), V::load(y + i), V::load(bias + i)).store(y + i);
}

// Rows times a range of panels, into packed rows that begin there: kc of K at a time, as many as `tileBytes` hold and
// kMask leaves.
// `weightsOf(k, count)` gives their weights, a step of wStride apart.
template <class V, class W, int G, int S, class WeightsOf>
RNN_INLINE void multiplyTiles(const PackedView& p, const PanelRange& range, const float* a, ptrdiff_t aStride,
                              const EvenSplit& tiles, float* out, size_t outStride, size_t tileBytes, size_t kMask,
                              size_t wStride, const float* firstBias, const WeightsOf& weightsOf) {
  constexpr int R = mr<V>(G, S), M = nrPanels<V>(G, S, R), L = V::lanes;
  const TileKernel<W> larger = tiles.larger ? tileKernel<V, W, G, S, R, M>(tiles.base + 1, range.panels) : nullptr;
  const TileKernel<W> regular = tileKernel<V, W, G, S, R, M>(tiles.base, range.panels);
  // K-splits cannot be cut: they are for short products anyway.
  const size_t kc = S > 1 ? p.inputs : tileBytes / (range.panels * G * L * sizeof(typename W::Stored)) & kMask;
  size_t k = 0;
  do {
    const float* bias = k ? nullptr : firstBias;
    const size_t count = least(kc, p.inputs - k);
    const typename W::Stored* const weights = weightsOf(k, count);
    size_t row = 0;
    for (size_t i = 0; i < tiles.parts; i++) {
      const bool isLarger = i < tiles.larger;
      (isLarger ? larger : regular)(weights, wStride, a + ptrdiff_t(row) * aStride + k, aStride, count, bias,
                                    out + row * outStride, outStride);
      row += tiles.base + isLarger;
    }
    k += kc;
  } while (k < p.inputs);
}

// Floats of weights that are widened at a time: half of a first-level cache.
constexpr size_t widenedFloats = 4096;

// Weights of `count` inputs from k on, of columns that lie together; wStride from one group of inputs to the next.
using Widen = void (*)(const void* weights, size_t wStride, size_t k, size_t count, size_t columns, float* to);
template <class V, class W>
RNN_NOINLINE void widenColumns(const void* weights, size_t wStride, size_t k, size_t count, size_t columns, float* to) {
  const auto* from = static_cast<const typename W::Stored*>(weights) + k / groupSize<W> * wStride;
  for (size_t done = 0; done < count; done += groupSize<W>, from += wStride, to += groupSize<W> * columns)
    for (size_t i = 0; i < columns; i += V::lanes)
      if constexpr (groupSize<W> == 2) {
        const auto pair = W::template loadPair<V>(from + i);
        pair.first.store(to + i), pair.second.store(to + columns + i);
      } else {
        W::template load<V>(from + i).store(to + i);
      }
}

// The same of narrower weights, one code for all types of them: they are widened a piece at a time.
template <class V, int G, int S>
RNN_ONE_COPY void multiplyWidened(const PackedView& p, const PanelRange& range, const float* a, ptrdiff_t aStride,
                                  const EvenSplit& tiles, float* out, size_t outStride, const void* weights,
                                  Widen widen, const float* firstBias) {
  alignas(64) float widened[widenedFloats];
  const size_t wStride = kStride(range.block.panels, G, V::lanes), columns = range.panels * G * V::lanes;
  // An even kc: weights of two inputs may lie together.
  multiplyTiles<V, F32, G, S>(p, range, a, aStride, tiles, out, outStride, sizeof widened, ~size_t(1), columns,
                              firstBias, [&](size_t k, size_t count) {
                                widen(weights, wStride, k, count, columns, widened);
                                return static_cast<const float*>(widened);
                              });
}

// A tile of weights of one of the narrower types, which it widens on the way: R rows times N < R vectors of columns.
using NarrowTile = void (*)(const void* weights, size_t wStride, const float* a, ptrdiff_t aStride, size_t K,
                            const float* bias, float* out, size_t outStride);
template <class V, class W, int N, int R>
void narrowTile(const void* weights, size_t wStride, const float* a, ptrdiff_t aStride, size_t K, const float* bias,
                float* out, size_t outStride) {
  static_assert(N < R, "vectors of weights are held, inputs pass");
  constexpr int L = V::lanes;
  const auto* w = static_cast<const typename W::Stored*>(weights);
  V sum[R * N];
#pragma GCC unroll 64
  for (int i = 0; i < R * N; i++)
    sum[i] = V::load(bias + i % N * L);
  const auto add = [&](size_t k, bool second) {
    V held[N];
#pragma GCC unroll 64
    for (int n = 0; n < N; n++)
      if constexpr (groupSize<W> == 2)
        held[n] = W::template load<V>(w + n * L, second);
      else
        held[n] = W::template load<V>(w + n * L);
    addInput<N, R>(sum, held, a + k, aStride);
  };
  size_t k = 0;
  for (; k + groupSize<W> <= K; k += groupSize<W>, w += wStride) {
    add(k, false);
    if constexpr (groupSize<W> == 2)
      add(k + 1, true);
  }
  if (k < K)
    add(k, false);
#pragma GCC unroll 64
  for (int i = 0; i < R * N; i++)
    sum[i].store(out + i / N * outStride + i % N * L);
}

// That of some rows and panels; null where there is none.
template <class V, int G, int R>
inline NarrowTile narrowTileOf(WeightType type, size_t rows, size_t panels) {
  constexpr int M = nrPanels<V>(G, 1, R);
  if (rows == size_t(R) && panels == size_t(M))
    return withNarrowType(type, [](auto w) -> NarrowTile { return narrowTile<V, decltype(w), M * G, R>; });
  if constexpr (R == mr<V>(G, 1))
    return narrowTileOf<V, G, R - 1>(type, rows, panels);
  return nullptr;
}

// Rows times a range of panels by such tiles; false where some are missing.
template <class V, int G>
RNN_NOINLINE bool multiplyNarrow(const PackedView& p, const PanelRange& range, const float* a, ptrdiff_t aStride,
                                 const EvenSplit& tiles, float* out, size_t outStride, const void* weights,
                                 const float* bias) {
  constexpr int R = mr<V>(G, 1);
  const NarrowTile regular = narrowTileOf<V, G, R>(p.type, tiles.base, range.panels);
  const NarrowTile larger = tiles.larger ? narrowTileOf<V, G, R>(p.type, tiles.base + 1, range.panels) : regular;
  if (!regular || !larger)
    return false;
  const size_t wStride = kStride(range.block.panels, G, V::lanes);
  for (size_t i = 0; i < tiles.parts; i++) {
    const size_t row = tiles.begin(i);
    (i < tiles.larger ? larger : regular)(weights, wStride, a + ptrdiff_t(row) * aStride, aStride, p.inputs, bias,
                                          out + row * outStride, outStride);
  }
  return true;
}

template <class V, class W, int G, int S>
void gemmPanels(const PackedView& p, const PanelRange& range, const float* a, ptrdiff_t aStride, const EvenSplit& tiles,
                float* out, size_t outStride) {
  constexpr size_t L = V::lanes;
  const size_t columns = range.panels * G * L;
  RNN_ASSERT(columns <= mostTileColumns);
  const float* const bias = biasAt<V, G>(p, range.firstPanel());
  if constexpr (!isNarrow<W>) {
    const typename W::Stored* weights = weightsAt<V, W, G>(p, range.block.firstPanel) + rowOffset(range.first, G, L);
    const size_t wStride = kStride(range.block.panels, G, L);
    multiplyTiles<V, W, G, S>(p, range, a, aStride, tiles, out, outStride, tilingOf<V>.kcBytes, ~size_t(0), wStride,
                              mayHaveScales<V, W> && p.scales ? zeroBias : bias,
                              [&](size_t k, size_t) { return weights + k * wStride; });
  } else {
    const size_t first = blockOffset(range.block.firstPanel, G, L, p.K) + rowOffset(range.first, G, L);
    const void* const weights = static_cast<const char*>(p.weights) + first * weightTypeTraits(p.type).groupBytes;
    const float* const firstBias = p.scales ? zeroBias : bias;
    bool isDone = false;
    if constexpr (tilingOf<V>.tilesReadNarrow && S == 1)
      isDone = multiplyNarrow<V, G>(p, range, a, aStride, tiles, out, outStride, weights, firstBias);
    if (!isDone) {
      const Widen widen = withNarrowType(p.type, [](auto w) -> Widen { return widenColumns<V, decltype(w)>; });
      multiplyWidened<V, G, S>(p, range, a, aStride, tiles, out, outStride, weights, widen, firstBias);
    }
  }
  if (mayHaveScales<V, W> && p.scales)
    applyScales<V>(out, outStride, tiles.begin(tiles.parts), columns, scalesAt<V, G>(p, range.firstPanel()), bias);
}

// Several rows of inputs, as the panels of a product take them.
template <class V, class W, int G, int S>
class RowsProduct {
public:
  // Of a product: the most rows at a time, and how many are still multiplied one by one.
  static size_t most(const PackedView&) { return tileScratchRows; }
  static size_t mostSingle(const PackedView& p) {
    // K-splits cannot be cut, and what is widened has its bounds.
    const bool fits =
        !isNarrow<W> || S == 1 || p.K * weightTypeTraits(p.type).groupSize * G * V::lanes <= widenedFloats;
    return fits ? W::mostSingleRows : tileScratchRows;
  }
  RNN_INLINE RowsProduct(const PackedView& p, const float* a, ptrdiff_t aStride, size_t)
      : p_(p), a_(a), aStride_(aStride) {}
  // Times a range of panels of a vector's width, into packed rows that begin there.
  template <class Wide>
  RNN_INLINE void multiply(const PanelRange& range, const EvenSplit& tiles, float* out, size_t outStride) const {
    gemmPanels<Wide, W, G, S>(p_, range, a_, aStride_, tiles, out, outStride);
  }

private:
  const PackedView& p_;
  const float* const a_;
  const ptrdiff_t aStride_;
};

} // namespace
