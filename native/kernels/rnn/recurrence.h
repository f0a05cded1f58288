// The kernel source: the recurrent loop over the products of product.h, written once over <Vec, Cell>.
// Each isa/*.cpp includes it after defining Vec; everything here is internal to that one object.
#pragma once
#include "epilogue.h"
#include "overlap.h"

namespace {

// The first product and the cell of one row, block by block: all sums of a block stay in registers or beside them.
// InputLast: the input sums are computed after the recurrent ones, as backwards steps do to meet what they read last.
// Else before them, where they are not there already.
template <class V, class C, int S, bool InputAfter>
struct FusedRowStep {
  using Vec = V;
  using WithHalf = FusedRowStep<V, C, S, InputAfter && C::gates == 1>; // where it is worth its code
  using OfHalf = FusedRowStep<Half<V>, C, S, false>;
  using Kernel = void (*)(const RecurrenceArgs& args, const TimeStep& step, size_t panel);
  template <int M, bool half>
  struct Of {
    static void call(const RecurrenceArgs& args, const TimeStep& step, size_t panel) {
      constexpr size_t L = V::lanes, G = C::gates, count = (M * L + half * Half<V>::lanes) * G;
      using Sum = typename GemvPanels<V, G, S>::template Of<M, half>;
      const CellEpilogue<V, C> epilogue{args, step};
      alignas(64) float sums[count], inputSums[count];
      PackedRows x{step.x + panel * epilogue.xPanel, epilogue.xPanel};
      if (!InputAfter && C::candidates == 0 && step.input) {
        Sum::inlined(args.inputMatrix, panel, step.input, inputSums);
        x = {inputSums, G * L};
      }
      Sum::inlined(args.recurrent, panel, step.h, sums);
      if constexpr (InputAfter) {
        Sum::call(args.inputMatrix, panel, step.input, inputSums);
        x = {inputSums, G * L};
      }
      epilogue.template row<M, half>(panel, sums, x);
    }
  };
  static constexpr int most = singleBlockPanels<V>(C::gates, S);
};

// The first product and the cell of one row, block by block, each of which takes a tile of later input sums along.
template <class V, class C>
struct FusedRowStepWithTile {
  using Kernel = void (*)(const RecurrenceArgs& args, const TimeStep& step, size_t panel, const OverlapTile& tile);
  template <int M, bool half>
  struct Of {
    static void call(const RecurrenceArgs& args, const TimeStep& step, size_t panel, const OverlapTile& tile) {
      constexpr size_t G = C::gates;
      const CellEpilogue<V, C> epilogue{args, step};
      const size_t offset = panel * G * V::lanes;
      alignas(64) float sums[(M * V::lanes + half * Half<V>::lanes) * G];
      gemvWithTile<V, M * G, half ? G : 0>(args.recurrent.weights + offset * args.recurrent.K,
                                           args.recurrent.bias + offset, step.h, args.recurrent.K, sums, tile);
      epilogue.template row<M, half>(panel, sums, {step.x + panel * epilogue.xPanel, epilogue.xPanel});
    }
  };
  static constexpr int most = widestBlockOfSeveral<V>(C::gates);
};

// What a thread does of the blocks that there are.
inline BlockRange blockRangeOf(const RecurrenceArgs& args, size_t blocks, bool reverse) {
  return {blocks * args.threadIndex / args.threadCount, blocks * (args.threadIndex + 1) / args.threadCount, reverse};
}

// The blocks of a product of a single row: `visit(block, half)`, where half says that half a panel is taken along.
template <class V, class Visit>
RNN_INLINE void forEachGemvBlock(const RecurrenceArgs& args, const PackedView& p, bool reverse, const Visit& visit) {
  const BlockRange span = blockRangeOf(args, gemvBlocks(p), reverse);
  for (size_t i = 0; i < span.size(); i++)
    visit(blockAt(p, span.at(i)), joinsTailHalf<V>(p, span.at(i)));
}

// A product of a single row, block by block, and what follows it.
template <class V, class C, int G, int S, template <class, class> class Epilogue>
inline void unfusedRow(const RecurrenceArgs& args, const TimeStep& step, const PackedView& p, bool reverse, size_t row,
                       const float* a) {
  const auto kernels = gemvKernels<GemvPanels<V, G, S>>(p);
  constexpr size_t panelSums = G * V::lanes;
  alignas(64) float sums[(singleBlockPanels<V>(G, S) + 1) * panelSums]; // `carry` is of all threads that share a step
  forEachGemvBlock<V>(args, p, reverse, [&](const Block& block, bool half) {
    kernels.at(p, block, half)(p, block.firstPanel, a, sums);
    applyEpilogue(Epilogue<V, C>{args, step}, row, 1, {block, 0, block.panels}, {sums, 0}, panelSums);
    if (half)
      applyEpilogue(Epilogue<Half<V>, C>{args, step}, row, 1, {tailHalfBlock(block.firstPanel + block.panels), 0, 1},
                    {sums + block.panels * panelSums, 0}, 0);
  });
}

// A product of all rows, a group of them after the other, block by block, and what follows it.
template <class V, class C, int G, int S, template <class, class> class Epilogue>
inline void unfusedRows(const RecurrenceArgs& args, const TimeStep& step, const PackedView& p, bool reverse,
                        const float* a, size_t aStride) {
  for (size_t first = 0; first < args.B; first += tileScratchRows, a += tileScratchRows * aStride) {
    const size_t count = least(tileScratchRows, args.B - first);
    if (count == 1) {
      unfusedRow<V, C, G, S, Epilogue>(args, step, p, reverse, first, a);
      continue;
    }
    const BlockRange span = blockRangeOf(args, p.blocks, reverse);
    for (size_t i = 0; i < span.size(); i++)
      withBlockWidth<V>(p, span.at(i), [&](auto width, const Block& block) {
        using W = typename decltype(width)::Vec;
        constexpr size_t panelSums = G * W::lanes;
        const RowTiling tiling = tileRows<W, G, S>(count);
        forEachPanelRange<W, G, S>(block, tiling, [&](const PanelRange& range) {
          const size_t stride = range.panels * panelSums;
          gemmPanels<W, G, S>(p, range, a, aStride, tiling, args.tileScratch, stride);
          applyEpilogue(Epilogue<W, C>{args, step}, first, count, range, {args.tileScratch, stride}, panelSums);
        });
      });
  }
}

// Short rows are not worth a call of memcpy.
inline void copyRow(float* to, const float* from, size_t count) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16)
    __builtin_memcpy(to + i, from + i, 16 * sizeof(float));
  for (; i + 8 <= count; i += 8)
    __builtin_memcpy(to + i, from + i, 8 * sizeof(float));
  for (; i < count; i++)
    to[i] = from[i];
}

// Asks for the memory of the next step's output of one row, panel by panel as the cells of several rows do.
template <class V>
inline void prefetchOutputRow(const RecurrenceArgs& args, const TimeStep& step) {
  for (size_t i = 0; i < args.outputs; i += V::lanes)
    prefetchWrite(args.prefetched[0] + step.nextY + i);
}

inline void arriveAndWait(const RecurrenceArgs& args) {
  if (args.arriveAndWait)
    args.arriveAndWait(args.barrier);
}

template <class V, class C, int S>
RNN_INLINE BlockKernels<typename FusedRowStep<V, C, S, false>::Kernel> fusedRowKernels(const RecurrenceArgs& args) {
  // A row's input sums are computed on the way in a single step only.
  constexpr bool turns = S == 1 && C::candidates == 0 && !C::hasPeepholes;
  if (turns && args.input && args.reverseBlocks)
    return gemvKernels<FusedRowStep<V, C, S, turns>>(args.recurrent);
  return gemvKernels<FusedRowStep<V, C, S, false>>(args.recurrent);
}

// A step of a single row whose blocks take tiles along as long as some are left. A function of its own, so that a lone
// step of a stream has nothing of it to set up.
template <class V, class C>
RNN_NOINLINE void overlappedRowStep(const RecurrenceArgs& args, const TimeStep& step, bool reverse,
                                    OverlappedGemm<V, C::gates + C::candidates>& overlapped) {
  const auto kernels = fusedRowKernels<V, C, 1>(args);
  auto withTile = wholeBlockKernels<FusedRowStepWithTile<V, C>>(args.recurrent);
  if (args.recurrent.tailHalf)
    withTile.tailHalf = kernelOf<FusedRowStepWithTile<V, C>, true>(args.recurrent.panelsPerBlock);
  forEachGemvBlock<V>(args, args.recurrent, reverse, [&](const Block& block, bool half) {
    if (overlapped.hasTile())
      withTile.at(args.recurrent, block, half)(args, step, block.firstPanel, overlapped.takeTile());
    else
      kernels.at(args.recurrent, block, half)(args, step, block.firstPanel);
  });
}

template <class V, class C, int S>
void timeLoop(const RecurrenceArgs& args) {
  const bool two = C::candidates > 0 || args.projects;
  constexpr bool makesAhead = V::tiling.overlapRows > 0 && S == 1;
  const auto kernels = fusedRowKernels<V, C, S>(args);
  OverlappedGemm<V, C::gates + C::candidates> overlapped(args.overlapped, args.threadIndex, args.threadCount);
  const auto rowStep = [&](const TimeStep& step, bool reverse) {
    if constexpr (makesAhead)
      if (args.overlapped.rows)
        return overlappedRowStep<V, C>(args, step, reverse, overlapped);
    forEachGemvBlock<V>(args, args.recurrent, reverse, [&](const Block& block, bool half) {
      kernels.at(args.recurrent, block, half)(args, step, block.firstPanel);
    });
  };
  for (size_t t = 0; t < args.T; t++) {
    float* const hNext = args.h[~t & 1];
    const ptrdiff_t y = ptrdiff_t(t) * args.yStep;
    const TimeStep step{args.input,
                        args.inputGates + t * args.inputGatesStep,
                        args.h[t & 1],
                        hNext,
                        two ? args.secondInput : hNext,
                        two ? args.unitStride : args.hStride,
                        y + args.yStep};
    // Every other step walks backwards over the weights, to meet first what the step before left in the cache.
    const bool reverse = args.reverseBlocks != bool(t & 1);
    if (args.B == 1)
      rowStep(step, reverse);
    else
      unfusedRows<V, C, C::gates, S, CellEpilogue>(args, step, args.recurrent, reverse, step.h, args.hStride);
    arriveAndWait(args);
    if (two) {
      withKSplits<1>(args.second.kSplitsLog2, [&](auto splits) {
        constexpr int S2 = decltype(splits)::count;
        if constexpr (C::candidates > 0)
          unfusedRows<V, C, 1, S2, CandidateEpilogue>(args, step, args.second, reverse, args.secondInput,
                                                      args.unitStride);
        else if constexpr (C::hasCellState)
          unfusedRows<V, C, 1, S2, ProjectionEpilogue>(args, step, args.second, reverse, args.secondInput,
                                                       args.unitStride);
      });
      arriveAndWait(args);
    }
    if (args.prefetched && args.B == 1 && args.threadIndex == 0)
      prefetchOutputRow<V>(args, step);
    if (args.y && args.threadIndex == 0)
      for (size_t b = 0; b < args.B; b++)
        copyRow(args.y[b] + y, step.hNext + b * args.hStride, args.outputs);
  }
  if constexpr (makesAhead)
    if (args.overlapped.rows)
      overlapped.finishRest();
}

template <class V, class C>
void recurrence(const RecurrenceArgs& args) {
  withKSplits<C::gates>(args.recurrent.kSplitsLog2,
                        [&](auto splits) { timeLoop<V, C, decltype(splits)::count>(args); });
}

// The table of an ISA; built at compile time.
template <class V>
constexpr Kernels makeKernels(const char* name, uint32_t needs) {
  Kernels table{};
  table.name = name;
  table.needs = needs;
  table.fused = V::fused;
  table.lanes = V::lanes;
  table.hasHalfPanels = V::hasHalfPanels;
  table.overlapRows = V::tiling.overlapRows;
  static_assert(V::tiling.overlapRows <= int(maxOverlapRows), "a recurrence has memory for three times as many rows");
  static_assert(singleBlockPanels<V>(1, 1) >= widestBlockOfSeveral<V>(1) &&
                    singleBlockPanels<V>(2, 1) >= widestBlockOfSeveral<V>(2) &&
                    singleBlockPanels<V>(3, 1) >= widestBlockOfSeveral<V>(3) &&
                    singleBlockPanels<V>(4, 1) >= widestBlockOfSeveral<V>(4),
                "the kernels of a row are as many as the only block may have panels");
  for (int G = 1; G <= 4; G++)
    for (int log2 = 0; log2 <= 1; log2++)
      table.blockPanels[G - 1][log2] = {size_t(singleBlockPanels<V>(G, 1 << log2)),
                                        size_t(blockPanels<V>(G, 1 << log2)),
                                        size_t(largeBlockPanels<V>(G, 1 << log2))};
  table.gemm[0] = gemm<V, 1>;
  table.gemm[1] = gemm<V, 2>;
  table.gemm[2] = gemm<V, 3>;
  table.gemm[3] = gemm<V, 4>;
  size_t i = 0;
  forEachCell([&](auto cell) { table.recurrence[i++] = recurrence<V, decltype(cell)>; });
  return table;
}

} // namespace
