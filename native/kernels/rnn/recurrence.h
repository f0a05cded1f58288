// The kernel source: the recurrent loop over the products of product.h, written once over <Vec, Cell>.
// Each isa/*.cpp includes it after defining Vec; everything here is internal to that one object.
#pragma once
#include "overlap.h"
#include "epilogue.h"

namespace {

// The first product and the cell of one row, block by block: all sums of a block stay in registers or beside them.
// InputLast: the input sums are computed after the recurrent ones, as backwards steps do to meet what they read last.
// Else before them, where they are not there already.
template <class V, class C, int S, bool InputLast>
struct RowStep {
  using Vec = V;
  using WithHalf = RowStep<V, C, S, InputLast && C::gates == 1>; // where it is worth its code
  using OfHalf = RowStep<Half<V>, C, S, false>;
  using Call = void (*)(const RunArgs& run, const Step& step, size_t panel);
  template <int M, bool half>
  struct Of {
    static void call(const RunArgs& run, const Step& step, size_t panel) {
      constexpr size_t L = V::lanes, G = C::gates, count = (M * L + half * Half<V>::lanes) * G;
      using Sum = typename RowSums<V, G, S>::template Of<M, half>;
      const FinishCell<V, C> finish{run, step};
      alignas(64) float sums[count], inputSums[count];
      Sums x{step.x + panel * finish.xPanel, finish.xPanel};
      if (!InputLast && C::candidates == 0 && step.input) {
        Sum::inlined(run.inputProduct, panel, step.input, inputSums);
        x = {inputSums, G * L};
      }
      Sum::inlined(run.first, panel, step.h, sums);
      if constexpr (InputLast) {
        Sum::call(run.inputProduct, panel, step.input, inputSums);
        x = {inputSums, G * L};
      }
      finish.template row<M, half>(panel, sums, x);
    }
  };
  static constexpr int most = onlyPanels<V>(C::gates, S);
};

// The first product and the cell of one row, block by block, each of which takes a tile of later input sums along.
template <class V, class C>
struct RowStepAndTile {
  using Call = void (*)(const RunArgs& run, const Step& step, size_t panel, const AheadTile& tile);
  template <int M, bool half>
  struct Of {
    static void call(const RunArgs& run, const Step& step, size_t panel, const AheadTile& tile) {
      constexpr size_t G = C::gates;
      const FinishCell<V, C> finish{run, step};
      const size_t offset = panel * G * V::lanes;
      alignas(64) float sums[(M * V::lanes + half * Half<V>::lanes) * G];
      sumRowAndTile<V, M * G, half ? G : 0>(run.first.weights + offset * run.first.K, run.first.start + offset, step.h,
                                            run.first.K, sums, tile);
      finish.template row<M, half>(panel, sums, {step.x + panel * finish.xPanel, finish.xPanel});
    }
  };
  static constexpr int most = widestOfSeveral<V>(C::gates);
};

// What a thread does of the blocks that there are.
inline Span spanOf(const RunArgs& run, size_t blocks, bool backwards) {
  return {blocks * run.share / run.shares, blocks * (run.share + 1) / run.shares, backwards};
}

// The blocks of a product of a single row: `visit(block, half)`, where half says that half a panel is taken along.
template <class V, class Visit>
RNN_INLINE void eachRowBlock(const RunArgs& run, const Product& p, bool backwards, const Visit& visit) {
  const Span span = spanOf(run, rowBlocks(p), backwards);
  for (size_t i = 0; i < span.size(); i++)
    visit(blockAt(p, span.at(i)), takesHalf<V>(p, span.at(i)));
}

// A product of a single row, block by block, and what follows it.
template <class V, class C, int G, int S, template <class, class> class Finish>
inline void sweepRow(const RunArgs& run, const Step& step, const Product& p, bool backwards, size_t row,
                     const float* a) {
  const auto calls = rowCalls<RowSums<V, G, S>>(p);
  constexpr size_t panelSums = G * V::lanes;
  alignas(64) float sums[(onlyPanels<V>(G, S) + 1) * panelSums]; // `carry` is of all threads that share a step
  eachRowBlock<V>(run, p, backwards, [&](const Block& block, bool half) {
    calls.at(p, block, half)(p, block.firstPanel, a, sums);
    finishPart(Finish<V, C>{run, step}, row, 1, {block, 0, block.panels}, {sums, 0}, panelSums);
    if (half)
      finishPart(Finish<Half<V>, C>{run, step}, row, 1, {halfBlock(block.firstPanel + block.panels), 0, 1},
                 {sums + block.panels * panelSums, 0}, 0);
  });
}

// A product of all rows, a group of them after the other, block by block, and what follows it.
template <class V, class C, int G, int S, template <class, class> class Finish>
inline void sweep(const RunArgs& run, const Step& step, const Product& p, bool backwards, const float* a,
                  size_t aStride) {
  for (size_t first = 0; first < run.B; first += carryRows, a += carryRows * aStride) {
    const size_t count = least(carryRows, run.B - first);
    if (count == 1) {
      sweepRow<V, C, G, S, Finish>(run, step, p, backwards, first, a);
      continue;
    }
    const Span span = spanOf(run, p.blocks, backwards);
    for (size_t i = 0; i < span.size(); i++)
      visitBlock<V>(p, span.at(i), [&](auto width, const Block& block) {
        using W = typename decltype(width)::Vec;
        constexpr size_t panelSums = G * W::lanes;
        const Deal deal = dealRows<W, G, S>(count);
        eachPart<W, G, S>(block, deal, [&](const Part& part) {
          const size_t stride = part.panels * panelSums;
          partSums<W, G, S>(p, part, a, aStride, deal, run.carry, stride);
          finishPart(Finish<W, C>{run, step}, first, count, part, {run.carry, stride}, panelSums);
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
inline void fetchRow(const RunArgs& run, const Step& step) {
  for (size_t i = 0; i < run.outputs; i += V::lanes)
    fetch(run.fetched[0] + step.nextY + i);
}

inline void meet(const RunArgs& run) {
  if (run.meet)
    run.meet(run.meetArgument);
}

template <class V, class C, int S>
RNN_INLINE RowCalls<typename RowStep<V, C, S, false>::Call> stepCalls(const RunArgs& run) {
  // A row's input sums are computed on the way in a single step only.
  constexpr bool turns = S == 1 && C::candidates == 0 && !C::hasPeepholes;
  if (turns && run.input && run.backwards)
    return rowCalls<RowStep<V, C, S, turns>>(run.first);
  return rowCalls<RowStep<V, C, S, false>>(run.first);
}

// A step of a single row whose blocks take tiles along as long as some are left. A function of its own, so that a lone
// step of a stream has nothing of it to set up.
template <class V, class C>
RNN_APART void stepAndTiles(const RunArgs& run, const Step& step, bool backwards,
                            Ahead<V, C::gates + C::candidates>& ahead) {
  const auto calls = stepCalls<V, C, 1>(run);
  auto withTile = wholeCalls<RowStepAndTile<V, C>>(run.first);
  if (run.first.half)
    withTile.half = callOf<RowStepAndTile<V, C>, true>(run.first.narrow);
  eachRowBlock<V>(run, run.first, backwards, [&](const Block& block, bool half) {
    if (ahead.left())
      withTile.at(run.first, block, half)(run, step, block.firstPanel, ahead.take());
    else
      calls.at(run.first, block, half)(run, step, block.firstPanel);
  });
}

template <class V, class C, int S>
void runSteps(const RunArgs& run) {
  const bool two = C::candidates > 0 || run.projects;
  constexpr bool makesAhead = V::shapes.aheadRows > 0 && S == 1;
  const auto calls = stepCalls<V, C, S>(run);
  Ahead<V, C::gates + C::candidates> ahead(run.ahead, run.share, run.shares);
  const auto rowStep = [&](const Step& step, bool backwards) {
    if constexpr (makesAhead)
      if (run.ahead.rows)
        return stepAndTiles<V, C>(run, step, backwards, ahead);
    eachRowBlock<V>(run, run.first, backwards, [&](const Block& block, bool half) {
      calls.at(run.first, block, half)(run, step, block.firstPanel);
    });
  };
  for (size_t t = 0; t < run.T; t++) {
    float* const hNext = run.h[~t & 1];
    const ptrdiff_t y = ptrdiff_t(t) * run.yStep;
    const Step step{run.input,    run.x + t * run.xStep,     run.h[t & 1],
                    hNext,        two ? run.between : hNext, two ? run.unitStride : run.hStride,
                    y + run.yStep};
    // Every other step walks backwards over the weights, to meet first what the step before left in the cache.
    const bool backwards = run.backwards != bool(t & 1);
    if (run.B == 1)
      rowStep(step, backwards);
    else
      sweep<V, C, C::gates, S, FinishCell>(run, step, run.first, backwards, step.h, run.hStride);
    meet(run);
    if (two) {
      withPartials<1>(run.second.partials, [&](auto partials) {
        constexpr int S2 = decltype(partials)::count;
        if constexpr (C::candidates > 0)
          sweep<V, C, 1, S2, FinishCandidate>(run, step, run.second, backwards, run.between, run.unitStride);
        else if constexpr (C::hasCellState)
          sweep<V, C, 1, S2, FinishProjection>(run, step, run.second, backwards, run.between, run.unitStride);
      });
      meet(run);
    }
    if (run.fetched && run.B == 1 && run.share == 0)
      fetchRow<V>(run, step);
    if (run.y && run.share == 0)
      for (size_t b = 0; b < run.B; b++)
        copyRow(run.y[b] + y, step.hNext + b * run.hStride, run.outputs);
  }
  if constexpr (makesAhead)
    if (run.ahead.rows)
      ahead.rest();
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
  kernels.halves = V::halves;
  kernels.aheadRows = V::shapes.aheadRows;
  static_assert(V::shapes.aheadRows <= int(mostAheadRows), "a pass has memory for three times as many rows");
  static_assert(onlyPanels<V>(1, 1) >= widestOfSeveral<V>(1) && onlyPanels<V>(2, 1) >= widestOfSeveral<V>(2) &&
                    onlyPanels<V>(3, 1) >= widestOfSeveral<V>(3) && onlyPanels<V>(4, 1) >= widestOfSeveral<V>(4),
                "the calls of a row are as many as the only block may have panels");
  for (int G = 1; G <= 4; G++)
    for (int log2 = 0; log2 <= 1; log2++)
      kernels.panels[G - 1][log2] = {size_t(onlyPanels<V>(G, 1 << log2)), size_t(blockPanels<V>(G, 1 << log2)),
                                     size_t(largePanels<V>(G, 1 << log2))};
  kernels.product[0] = product<V, 1>;
  kernels.product[1] = product<V, 2>;
  kernels.product[2] = product<V, 3>;
  kernels.product[3] = product<V, 4>;
  size_t i = 0;
  eachCell([&](auto cell) { kernels.run[i++] = run<V, decltype(cell)>; });
  return kernels;
}

} // namespace
