// Rows in int8 times panels in int8, whose sums are exact: y = bias + (scale of the output · scale of the row) · Σ.
// Four inputs of an output lie together, as do those of a row. Internal to each instruction set's object.
#pragma once
#include "quantize.h"
#include "rows.h"

namespace {

// One row times N vectors of columns that lie together, and M half ones that lie behind all their groups of inputs:
// groups [first, first + count) of K. `adds`: to the sums that are there.
template <class V, int N, int M>
RNN_INLINE void gemvDots(const int32_t* w, size_t K, size_t first, size_t count, const int8_t* q, bool adds,
                         float* out) {
  using Dots = typename V::Dots;
  using HalfDots = typename Half<V>::Dots;
  constexpr int L = V::lanes, whole = N * L, HL = Half<V>::lanes, tail = M * HL;
  const int32_t* h = w + whole * K + first * tail;
  w += first * whole;
  Dots sums[N > 0 ? N : 1];
  HalfDots halves[M > 0 ? M : 1];
#pragma GCC unroll 64
  for (int n = 0; n < N; n++)
    sums[n] = adds ? Dots::load(out + n * L) : Dots::zero();
#pragma GCC unroll 64
  for (int m = 0; m < M; m++)
    halves[m] = adds ? HalfDots::load(out + whole + m * HL) : HalfDots::zero();
  for (size_t k = 0; k < count; k++, q += 4, w += whole, h += tail) {
    const typename Dots::Inputs a = Dots::broadcast(q);
#pragma GCC unroll 64
    for (int n = 0; n < N; n++)
      sums[n] = sums[n].plus(w + n * L, a);
    if constexpr (M > 0) {
      const typename HalfDots::Inputs b = HalfDots::broadcast(q);
#pragma GCC unroll 64
      for (int m = 0; m < M; m++)
        halves[m] = halves[m].plus(h + m * HL, b);
    }
  }
#pragma GCC unroll 64
  for (int n = 0; n < N; n++)
    sums[n].store(out + n * L);
#pragma GCC unroll 64
  for (int m = 0; m < M; m++)
    halves[m].store(out + whole + m * HL);
}

// The same for the panels of a block (a family for by_panels.h).
template <class V, int G>
struct DotPanels {
  using Vec = V;
  using WithHalf = DotPanels;
  using OfHalf = DotPanels<Half<V>, G>;
  using Kernel = void (*)(const PackedView& p, size_t panel, size_t first, size_t count, const int8_t* q, bool adds,
                          float* out);
  template <int M, bool half>
  struct Of {
    static RNN_NOINLINE void call(const PackedView& p, size_t panel, size_t first, size_t count, const int8_t* q,
                                  bool adds, float* out) {
      gemvDots<V, M * G, half ? G : 0>(weightsAt<V, Int8Quads, G>(p, panel), p.K, first, count, q, adds, out);
    }
  };
  static constexpr int most = singleBlockPanels<V>(G, 1);
};

// R rows times N vectors of columns.
template <class V, int N, int R>
void tileDots(const int32_t* w, size_t wStride, const int8_t* q, size_t qStride, size_t K, float* out,
              size_t outStride) {
  using Dots = typename V::Dots;
  constexpr int L = V::lanes;
  Dots sums[R * N];
#pragma GCC unroll 64
  for (int i = 0; i < R * N; i++)
    sums[i] = Dots::zero();
  for (size_t k = 0; k < K; k++, w += wStride, q += 4)
#pragma GCC unroll 8
    for (int r = 0; r < R; r++) {
      const typename Dots::Inputs a = Dots::broadcast(q + r * qStride);
#pragma GCC unroll 64
      for (int n = 0; n < N; n++)
        sums[r * N + n] = sums[r * N + n].plus(w + n * L, a);
    }
#pragma GCC unroll 8
  for (int r = 0; r < R; r++)
#pragma GCC unroll 64
    for (int n = 0; n < N; n++)
      sums[r * N + n].store(out + r * outStride + n * L);
}

using DotTileKernel = void (*)(const int32_t*, size_t, const int8_t*, size_t, size_t, float*, size_t);

// The tile of r rows and m panels, as tileKernel() has them.
template <class V, int G, int R, int M>
inline DotTileKernel dotTileKernel(size_t r, size_t m) {
  if constexpr (R > leastRows<V>(G, 1))
    if (r < size_t(R))
      return dotTileKernel<V, G, R - 1, nrPanels<V>(G, 1, R - 1)>(r, m);
  if constexpr (M > 1)
    if (m < size_t(M))
      return dotTileKernel<V, G, R, M - 1>(r, m);
  return tileDots<V, M * G, R>;
}

// A block's products of a row of any length: outputs some at a time, their sums in 64 bits. Slow, for rows that nobody
// has.
template <class V, int G>
RNN_NOINLINE void multiplyWide(const PackedView& p, const Block& block, const float* a, float scale, float* out) {
  constexpr size_t mostColumns = 64, inputs = 4096, L = V::lanes;
  const size_t stride = kStride(block.panels, G, L);
  const int32_t* const weights = weightsAt<V, Int8Quads, G>(p, block.firstPanel);
  const float *const scales = scalesAt<V, G>(p, block.firstPanel), *const bias = biasAt<V, G>(p, block.firstPanel);
  alignas(64) int8_t q[inputs];
  for (size_t begin = 0; begin < stride; begin += mostColumns) {
    const size_t columns = least(mostColumns, stride - begin);
    int64_t totals[mostColumns] = {};
    for (size_t k = 0; k < p.inputs; k += inputs) {
      const size_t count = least(inputs, p.inputs - k);
      quantizeRow<V>(a + k, count, scale, q);
      for (size_t c = 0; c < columns; c++)
        for (size_t i = 0; i < count; i++) {
          const auto* const quad = reinterpret_cast<const int8_t*>(weights + (k + i) / 4 * stride + begin + c);
          totals[c] += int32_t(quad[i % 4]) * q[i];
        }
    }
    float* const sums = out + begin;
    for (size_t c = 0; c < columns; c++)
      sums[c] = float(totals[c]);
    const V factor = V::set(scale);
    for (size_t c = 0; c < columns; c += L)
      fma(V::load(scales + begin + c) * factor, V::load(sums + c), V::load(bias + begin + c)).store(sums + c);
  }
}

// A row that is too long to be brought to int8 at once, a piece after the other; too long for sums of 32 bits as well.
template <class V, int G>
RNN_NOINLINE void gemmLongRows(const GemmArgs& args) {
  const PackedView& p = args.matrix;
  alignas(64) int8_t q[mostQuantizedInputs];
  const auto kernels = blockKernels<DotPanels<V, G>>(p);
  for (size_t r = 0; r < args.rows; r++) {
    const float* const a = args.a + ptrdiff_t(r) * args.aStride;
    float* const y = args.y + r * args.yStride;
    const float scale = scaleOfRow<V>(a, p.inputs);
    if (p.inputs > mostInt32Inputs) {
      for (size_t i = 0; i < p.blocks; i++)
        withBlockWidth<V>(p, i, [&](auto width, const Block& block) {
          using Wide = typename decltype(width)::Vec;
          multiplyWide<Wide, G>(p, block, a, scale, y + rowOffset(block.firstPanel, G, Wide::lanes));
        });
      continue;
    }
    for (size_t k = 0; k < p.inputs; k += mostQuantizedInputs) {
      const size_t count = least(mostQuantizedInputs, p.inputs - k);
      quantizeRow<V>(a + k, count, scale, q);
      for (size_t i = 0; i < gemvBlocks(p); i++) {
        const Block block = blockAt(blocksOf(p), i);
        kernels.at(p, block, joinsTailHalf<V>(p, i))(p, block.firstPanel, k / 4, (count + 3) / 4, q, k > 0,
                                                     y + rowOffset(block.firstPanel, G, V::lanes));
      }
    }
    const size_t columns =
        rowOffset(blocksOf(p).begin(blocksOf(p).parts), G, V::lanes) + (p.tailHalf ? size_t(G) * Half<V>::lanes : 0);
    finishDots<V>(y, columns, p.scales, p.bias, scale);
  }
}

template <class V, int G, int S>
class RowProduct<V, Int8Quads, G, S> {
public:
  RNN_INLINE RowProduct(const PackedView& p, const float* a)
      : p_(p), a_(a), scale_(scaleOfRow<V>(a, p.inputs)), kernels_(blockKernels<DotPanels<V, G>>(p)) {
    if (p.inputs <= mostQuantizedInputs)
      quantizeRow<V>(a, p.inputs, scale_, q_);
  }
  RNN_INLINE void multiply(const Block& block, bool half, float* out) const {
    if (p_.inputs > mostQuantizedInputs)
      return multiplyLong(block, half, out);
    kernels_.at(p_, block, half)(p_, block.firstPanel, 0, p_.K, q_, false, out);
    const size_t columns = rowOffset(block.panels, G, V::lanes) + (half ? size_t(G) * Half<V>::lanes : 0);
    finishDots<V>(out, columns, scalesAt<V, G>(p_, block.firstPanel), biasAt<V, G>(p_, block.firstPanel), scale_);
  }

private:
  void multiplyLong(const Block& block, bool half, float* out) const {
    multiplyWide<V, G>(p_, block, a_, scale_, out);
    if constexpr (V::hasHalfPanels)
      if (half)
        multiplyWide<Half<V>, G>(p_, tailHalfBlock(block.firstPanel + block.panels), a_, scale_,
                                 out + rowOffset(block.panels, G, V::lanes));
  }
  const PackedView& p_;
  const float* const a_;
  const float scale_;
  const BlockKernels<typename DotPanels<V, G>::Kernel> kernels_;
  alignas(64) int8_t q_[mostQuantizedInputs];
};

template <class V, int G, int S>
class RowsProduct<V, Int8Quads, G, S> {
public:
  static size_t most(const PackedView& p) {
    const size_t stride = quantizedStride(p.inputs), rows = quantizedBytes / stride;
    return rows < 1 ? 1 : least(rows, tileScratchRows);
  }
  static size_t mostSingle(const PackedView&) { return 1; }
  RNN_INLINE RowsProduct(const PackedView& p, const float* a, ptrdiff_t aStride, size_t rows)
      : p_(p), stride_(quantizedStride(p.inputs)) {
    for (size_t r = 0; r < rows; r++, a += aStride) {
      scales_[r] = scaleOfRow<V>(a, p.inputs);
      quantizeRow<V>(a, p.inputs, scales_[r], q_ + r * stride_);
    }
  }
  template <class Wide>
  RNN_INLINE void multiply(const PanelRange& range, const EvenSplit& tiles, float* out, size_t outStride) const {
    constexpr int R = mr<Wide>(G, 1), M = nrPanels<Wide>(G, 1, R);
    constexpr size_t L = Wide::lanes;
    const DotTileKernel larger = tiles.larger ? dotTileKernel<Wide, G, R, M>(tiles.base + 1, range.panels) : nullptr;
    const DotTileKernel regular = dotTileKernel<Wide, G, R, M>(tiles.base, range.panels);
    const size_t wStride = kStride(range.block.panels, G, L);
    const int32_t* const weights =
        weightsAt<Wide, Int8Quads, G>(p_, range.block.firstPanel) + rowOffset(range.first, G, L);
    for (size_t i = 0; i < tiles.parts; i++) {
      const size_t row = tiles.begin(i);
      (i < tiles.larger ? larger : regular)(weights, wStride, q_ + row * stride_, stride_, p_.K, out + row * outStride,
                                            outStride);
      for (size_t r = row; r < tiles.begin(i + 1); r++)
        finishDots<Wide>(out + r * outStride, range.panels * G * L, scalesAt<Wide, G>(p_, range.firstPanel()),
                         biasAt<Wide, G>(p_, range.firstPanel()), scales_[r]);
    }
  }

private:
  const PackedView& p_;
  const size_t stride_;
  float scales_[tileScratchRows];
  alignas(64) int8_t q_[quantizedBytes];
};

} // namespace
