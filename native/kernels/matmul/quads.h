// Rows in int8 times panels in int8, whose sums are exact: y = bias + (scale of the output · scale of the row) · Σ.
// Four inputs of an output lie together, as do those of a row. Internal to each instruction set's object.
#pragma once
#include "dots.h"
#include "quantize.h"
#include "rows.h"

namespace {

// The functions of a table for the blocks of one row's product, as blockKernels() gives those of a family.
template <class V, int G>
inline BlockKernels<DotKernels::Row> dotRows(const PackedView& p) {
  const auto rowOf = p.dots->row[G - 1];
  BlockKernels<DotKernels::Row> kernels;
  if (p.panelsPerBlock)
    kernels.regular = rowOf(p.panelsPerBlock, false);
  if (p.largerBlocks)
    kernels.larger = rowOf(p.panelsPerBlock + 1, false);
  if (V::hasHalfPanels && p.tailHalf)
    kernels.withHalf = p.panelsPerBlock ? rowOf(p.panelsPerBlock, true) : p.dots->halfRow[G - 1];
  return kernels;
}

// What an instruction set's sums want of some inputs; their groups are filled with zeros.
inline int32_t sumFor(const PackedView& p, const int8_t* q, size_t inputs) {
  return p.dots->sum ? p.dots->sum(q, (inputs + 3) / 4 * 4) : 0;
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
      quantizePart<V>(a + k, count, scale, q);
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
  const auto kernels = dotRows<V, G>(p);
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
      quantizePart<V>(a + k, count, scale, q);
      const int32_t sum = sumFor(p, q, count);
      for (size_t i = 0; i < gemvBlocks(p); i++) {
        const Block block = blockAt(blocksOf(p), i);
        kernels.at(p, block, joinsTailHalf<V>(p, i))(p, block.firstPanel, k / 4, (count + 3) / 4, q, sum, k > 0,
                                                     y + rowOffset(block.firstPanel, G, V::lanes));
      }
    }
    const size_t columns =
        rowOffset(blocksOf(p).begin(blocksOf(p).parts), G, V::lanes) + (p.tailHalf ? size_t(G) * Half<V>::lanes : 0);
    finishDots<V>(y, 0, 1, columns, p.scales, p.bias, &scale);
  }
}

template <class V, int G, int S>
class RowProduct<V, Int8Quads, G, S> {
public:
  RNN_INLINE RowProduct(const PackedView& p, const float* a) : p_(p), a_(a), kernels_(dotRows<V, G>(p)) {
    if (p.inputs > mostQuantizedInputs) {
      scale_ = scaleOfRow<V>(a, p.inputs);
      return;
    }
    scale_ = rowToInt8<V>(a, p.inputs, q_);
    sum_ = sumFor(p, q_, p.inputs);
  }
  RNN_INLINE void multiply(const Block& block, bool half, float* out) const {
    if (p_.inputs > mostQuantizedInputs)
      return multiplyLong(block, half, out);
    kernels_.at(p_, block, half)(p_, block.firstPanel, 0, p_.K, q_, sum_, false, out);
    const size_t columns = rowOffset(block.panels, G, V::lanes) + (half ? size_t(G) * Half<V>::lanes : 0);
    finishDots<V>(out, 0, 1, columns, scalesAt<V, G>(p_, block.firstPanel), biasAt<V, G>(p_, block.firstPanel),
                  &scale_);
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
  const BlockKernels<DotKernels::Row> kernels_;
  float scale_;
  int32_t sum_ = 0;
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
      scales_[r] = rowToInt8<V>(a, p.inputs, q_ + r * stride_);
      sums_[r] = sumFor(p, q_ + r * stride_, p.inputs);
    }
  }
  template <class Wide>
  RNN_INLINE void multiply(const PanelRange& range, const EvenSplit& tiles, float* out, size_t outStride) const {
    constexpr size_t L = Wide::lanes;
    const auto tileOf = L == V::lanes ? p_.dots->tile[G - 1] : p_.dots->halfTile[G - 1];
    const DotKernels::Tile larger = tiles.larger ? tileOf(tiles.base + 1, range.panels) : nullptr;
    const DotKernels::Tile regular = tileOf(tiles.base, range.panels);
    const size_t wStride = kStride(range.block.panels, G, L);
    const int32_t* const weights =
        weightsAt<Wide, Int8Quads, G>(p_, range.block.firstPanel) + rowOffset(range.first, G, L);
    for (size_t i = 0; i < tiles.parts; i++) {
      const size_t row = tiles.begin(i);
      (i < tiles.larger ? larger : regular)(weights, wStride, q_ + row * stride_, stride_, sums_ + row, p_.K,
                                            out + row * outStride, outStride);
      // Not of all rows at once: a row is 4 KB from the sixteenth one behind it, which would wait for its stores.
      finishDots<Wide>(out + row * outStride, outStride, tiles.size(i), range.panels * G * L,
                       scalesAt<Wide, G>(p_, range.firstPanel()), biasAt<Wide, G>(p_, range.firstPanel()),
                       scales_ + row);
    }
  }

private:
  const PackedView& p_;
  const size_t stride_;
  float scales_[tileScratchRows];
  int32_t sums_[tileScratchRows];
  alignas(64) int8_t q_[quantizedBytes];
};

} // namespace
