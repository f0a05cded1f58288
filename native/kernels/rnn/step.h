// One product of a time step and what follows it: of a single row fused with the cell, block by block, or of several
// rows through a scratch of accumulators. Internal to each instruction set's object.
#pragma once
#include "epilogue.h"
#include "overlap.h"

namespace {

// The recurrent product and the cell of one row, block by block (a family for matmul/by_panels.h): accumulators of a
// block stay in registers or beside them. InputAfter: the block's input gates are made after its recurrent product, as
// reverse steps do to meet what they read last. Else before it, where they are not there already.
template <class V, class W, class C, int S, bool InputAfter>
struct FusedRowStep {
  using Vec = V;
  // Where half a panel is taken along, the second order has code for Elman cells only: more gates gain nothing.
  using WithHalf = FusedRowStep<V, W, C, S, InputAfter && C::gates == 1>;
  using OfHalf = FusedRowStep<Half<V>, W, C, S, false>;
  using Kernel = void (*)(const RecurrenceArgs& args, const TimeStep& step, size_t panel);
  template <int M, bool half>
  struct Of {
    static void call(const RecurrenceArgs& args, const TimeStep& step, size_t panel) {
      constexpr size_t L = V::lanes, G = C::gates, count = (M * L + half * Half<V>::lanes) * G;
      using Product = typename GemvPanels<V, W, G, S>::template Of<M, half>;
      const CellEpilogue<V, C> epilogue{args, step};
      alignas(64) float sums[count], inputGates[count];
      PackedSpan x{step.inputGates + panel * epilogue.inputGatesPanel, epilogue.inputGatesPanel};
      if (!InputAfter && C::candidates == 0 && step.input) {
        Product::inlined(args.fusedInput.matrix, panel, step.input, inputGates);
        x = {inputGates, G * L};
      }
      Product::inlined(args.weights.recurrent, panel, step.h, sums);
      if constexpr (InputAfter) {
        Product::call(args.fusedInput.matrix, panel, step.input, inputGates);
        x = {inputGates, G * L};
      }
      epilogue.template row<M, half>(panel, sums, x);
    }
  };
  static constexpr int most = singleBlockPanels<V>(C::gates, S);
};

// The same, beside a tile of later input gates (overlap.h). There is no code for half a panel beside it: such a block
// takes no tile along.
template <class V, class W, class C>
struct FusedRowStepWithTile {
  using Kernel = void (*)(const RecurrenceArgs& args, const TimeStep& step, size_t panel, const OverlapTile<W>& tile);
  template <int M, bool>
  struct Of {
    static void call(const RecurrenceArgs& args, const TimeStep& step, size_t panel, const OverlapTile<W>& tile) {
      constexpr size_t G = C::gates;
      const CellEpilogue<V, C> epilogue{args, step};
      const PackedView& p = args.weights.recurrent;
      alignas(64) float sums[M * V::lanes * G];
      gemvWithTile<V, W, M * G>(weightsAt<V, W, G>(p, panel), biasAt<V, G>(p, panel), step.h, p.K, sums, tile);
      epilogue.template row<M, false>(panel, sums,
                                      {step.inputGates + panel * epilogue.inputGatesPanel, epilogue.inputGatesPanel});
    }
  };
  static constexpr int most = widestBlockOfSeveral<V>(C::gates);
};

// The blocks of a product of a single row: `visit(block, half)`, where half says that half a panel is taken along.
template <class V, class Visit>
RNN_INLINE void forEachGemvBlock(const RecurrenceArgs& args, const PackedView& p, bool reverse, const Visit& visit) {
  const BlockRange range = threadBlocks(args.threads, gemvBlocks(p), reverse);
  for (size_t i = 0; i < range.size(); i++)
    visit(blockAt(blocksOf(p), range.at(i)), joinsTailHalf<V>(p, range.at(i)));
}

// A product of a single row, block by block, and what follows it.
template <class V, class W, int G, int S>
inline void unfusedRow(const RecurrenceArgs& args, const TimeStep& step, const PackedView& p, bool reverse, size_t row,
                       const float* a, const UnfusedEpilogue& epilogue) {
  const RowProduct<V, W, G, S> product(p, a);
  constexpr size_t sumsPanel = G * V::lanes;
  // Of its own: `tileScratch` is of all threads that share a step.
  alignas(64) float sums[(singleBlockPanels<V>(G, S) + 1) * sumsPanel];
  forEachGemvBlock<V>(args, p, reverse, [&](const Block& block, bool half) {
    product.multiply(block, half, sums);
    epilogue.whole(args, step, row, 1, {block, 0, block.panels}, {sums, 0}, sumsPanel);
    if (half)
      epilogue.half(args, step, row, 1, {tailHalfBlock(block.firstPanel + block.panels), 0, 1},
                    {sums + block.panels * sumsPanel, 0}, 0);
  });
}

// A product of all rows, tileScratchRows of them after the other, block by block, and what follows it.
template <class V, class W, int G, int S>
RNN_ONE_COPY void unfusedRows(const RecurrenceArgs& args, const TimeStep& step, const PackedView& p, bool reverse,
                              const float* a, size_t aStride, const UnfusedEpilogue& epilogue) {
  const size_t B = args.sequence.B;
  const size_t most = RowsProduct<V, W, G, S>::most(p);
  for (size_t first = 0; first < B; first += most, a += most * aStride) {
    const size_t count = least(most, B - first);
    if (count <= RowsProduct<V, W, G, S>::mostSingle(p)) {
      for (size_t r = 0; r < count; r++)
        unfusedRow<V, W, G, S>(args, step, p, reverse, first + r, a + r * aStride, epilogue);
      continue;
    }
    const RowsProduct<V, W, G, S> product(p, a, ptrdiff_t(aStride), count);
    const BlockRange blocks = threadBlocks(args.threads, p.blocks, reverse);
    for (size_t i = 0; i < blocks.size(); i++)
      withBlockWidth<V>(p, blocks.at(i), [&](auto width, const Block& block) {
        using Wide = typename decltype(width)::Vec;
        constexpr size_t sumsPanel = G * Wide::lanes;
        const auto apply = Wide::lanes == V::lanes ? epilogue.whole : epilogue.half;
        const EvenSplit tiles = tileRows<Wide, G, S>(count);
        forEachPanelRange<Wide, G, S>(block, tiles, [&](const PanelRange& range) {
          const size_t stride = range.panels * sumsPanel;
          product.template multiply<Wide>(range, tiles, args.tileScratch, stride);
          apply(args, step, first, count, range, {args.tileScratch, stride}, sumsPanel);
        });
      });
  }
}

// The functions of a row's step. A row's input gates are made on the way in a single step only.
template <class V, class W, class C, int S>
RNN_INLINE BlockKernels<typename FusedRowStep<V, W, C, S, false>::Kernel> fusedRowKernels(const RecurrenceArgs& args) {
  constexpr bool hasInputAfter = S == 1 && C::candidates == 0 && !C::hasPeepholes;
  if (hasInputAfter && args.fusedInput.row && args.sequence.reverseBlocks)
    return blockKernels<FusedRowStep<V, W, C, S, hasInputAfter>>(args.weights.recurrent);
  return blockKernels<FusedRowStep<V, W, C, S, false>>(args.weights.recurrent);
}

// A step of a single row whose blocks take tiles along as long as some are left. A function of its own, so that a lone
// step of a stream has nothing of it to set up.
template <class V, class W, class C>
RNN_NOINLINE void overlappedRowStep(const RecurrenceArgs& args, const TimeStep& step, bool reverse,
                                    OverlappedGemm<V, W, C::gates + C::candidates>& overlapped) {
  const PackedView& p = args.weights.recurrent;
  const auto kernels = fusedRowKernels<V, W, C, 1>(args);
  const auto withTile = wholePanelKernels<FusedRowStepWithTile<V, W, C>>(p);
  forEachGemvBlock<V>(args, p, reverse, [&](const Block& block, bool half) {
    if (overlapped.hasTile() && !half)
      withTile.at(p, block, false)(args, step, block.firstPanel, overlapped.takeTile());
    else
      kernels.at(p, block, half)(args, step, block.firstPanel);
  });
}

} // namespace
