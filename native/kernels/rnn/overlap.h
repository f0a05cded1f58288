// Input gates of later steps, made on the way by the steps of a single row. Internal to each instruction set's object.
//
// Beyond the first-level cache such a step waits for its weights and leaves half of the arithmetic free, and the input
// product of a sequence is arithmetic alone. So each block of a step takes a tile of that product along, in one loop:
// the processor fills the waiting of one with the work of the other.
#pragma once
#include "../matmul/gemm.h"

namespace {

// One vector of columns of the input gates of tilingOf<V>.overlapRows steps.
template <class W>
struct OverlapTile {
  const typename W::Stored* weights;
  size_t wStride;
  const float* a; // the first row
  ptrdiff_t aStride;
  size_t K;
  const float* bias;
  float* out;
  size_t outStride;
};

// gemv, and a tile beside it; N may be 0, with no inputs.
template <class V, class W, int N>
RNN_INLINE void gemvWithTile(const typename W::Stored* w, const float* bias, const float* a, size_t K, float* out,
                             const OverlapTile<W>& tile) {
  constexpr int R = tilingOf<V>.overlapRows, whole = N * V::lanes;
  Accumulators<V, W, 1, N> sums(bias);
  V later[R];
#pragma GCC unroll 8
  for (int r = 0; r < R; r++)
    later[r] = V::load(tile.bias);
  const typename W::Stored* tileWeights = tile.weights;
  const float* b = tile.a;
  const auto addRow = [&](size_t k) {
    sums.add(0, w, V::broadcast(a + k));
    w += whole;
  };
  const auto addTile = [&](size_t k) {
    const V v = W::template load<V>(tileWeights);
#pragma GCC unroll 8
    for (int r = 0; r < R; r++)
      later[r] = fma(v, V::broadcast(b + r * tile.aStride + k), later[r]);
    tileWeights += tile.wStride;
  };
  const size_t both = least(K, tile.K);
  size_t k = 0;
  for (; k < both; k++) {
    addRow(k);
    addTile(k);
  }
  for (size_t rest = k; rest < K; rest++)
    addRow(rest);
  for (size_t rest = k; rest < tile.K; rest++)
    addTile(rest);
  sums.store(out, nullptr, nullptr);
#pragma GCC unroll 8
  for (int r = 0; r < R; r++)
    later[r].store(tile.out + r * tile.outStride);
}

// The tiles of a product of G gates that one thread makes, in the order in which its weights lie.
template <class V, class W, int G>
class OverlappedGemm {
public:
  OverlappedGemm(const GemmArgs& args, const RecurrenceArgs::ThreadShare& threads) : args_(args) {
    const PackedView& p = args.matrix;
    if (args.rows == 0)
      return;
    const BlockRange mine = threadBlocks(threads, blocksOf(p).parts, false);
    block_ = mine.begin;
    end_ = mine.end;
    makesHalf_ = p.tailHalf && threads.index + 1 == threads.count;
  }
  bool hasTile() const { return block_ < end_; }
  OverlapTile<W> takeTile() {
    constexpr size_t L = V::lanes;
    const PackedView& p = args_.matrix;
    const Block block = blockAt(blocksOf(p), block_);
    const size_t first = rowOffset(block.firstPanel, G, L), column = vector_ * L;
    if (++vector_ == block.panels * G)
      vector_ = 0, block_++;
    return {weightsAt<V, W, G>(p, block.firstPanel) + column,
            kStride(block.panels, G, L),
            args_.a,
            args_.aStride,
            p.K,
            p.bias + first + column,
            args_.y + first + column,
            args_.yStride};
  }
  // What no block took along.
  RNN_NOINLINE void finishRest() {
    while (hasTile())
      gemvWithTile<V, W, 0>(nullptr, nullptr, nullptr, 0, nullptr, takeTile());
    if (makesHalf_)
      withBlockWidth<V>(args_.matrix, args_.matrix.blocks - 1, [&](auto width, const Block& block) {
        const RowsProduct<V, W, G, 1> product(args_.matrix, args_.a, args_.aStride, args_.rows);
        gemmBlock<typename decltype(width)::Vec, RowsProduct<V, W, G, 1>, G, 1>(product, block, args_.y, args_.yStride,
                                                                                args_.rows);
      });
  }

private:
  const GemmArgs& args_;
  size_t block_ = 0, end_ = 0, vector_ = 0; // the next tile's block, and its place there
  bool makesHalf_ = false;
};

} // namespace
