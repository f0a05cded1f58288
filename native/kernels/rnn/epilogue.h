// What follows the products of a step: the cell on registers, for a panel of some rows or some panels of a row.
// Internal to each instruction set's object.
#pragma once
#include "../matmul/gemm.h"
#include "../simd/vec_pair.h"
#include "cells/cell.h"

namespace {

// One time step: where its input, its input gates, its old state and its new state lie.
struct TimeStep {
  const float* input; // one row, or null where the input gates are there already
  const float* inputGates;
  const float* h;
  float* hNext;
  float* out; // what the cell gives: the new state, or what the second product reads
  size_t outStride;
  ptrdiff_t y, nextY; // floats from the first step's output row to this one's and to the next one's
};

// Packed accumulators of some rows or panels: where the first one's lie, and the floats to the next one's.
struct PackedSpan {
  const float* at;
  size_t stride;
};
// The same in scratch memory, where the first stage of a cell leaves what the second one reads.
struct ScratchSpan {
  float* at;
  size_t stride;
  operator PackedSpan() const { return {at, stride}; }
};

// What is done to a panel of some rows: all of it, or one stage of a cell.
enum class Stage { whole, begin, end };

// What follows the recurrent product: the cell, its result to the new state or to the second product.
template <class V, class C>
struct CellEpilogue {
  const RecurrenceArgs& args;
  const TimeStep& step;
  static constexpr size_t L = V::lanes, inputGatesPanel = L * (C::gates + C::candidates);
  // Of a row alone: not of general cells, whose functions take longer than what it saves.
  static constexpr bool takesTwoPanels = !C::general;
  static constexpr bool hasStages = C::carried > 0;

  // One panel of R rows from `row` on.
  template <Stage stage, int R>
  RNN_INLINE void rows(size_t row, size_t panel, ScratchSpan sums) const {
    const RecurrenceArgs::Sequence& sequence = args.sequence;
    if (stage != Stage::begin && sequence.prefetchesNextY)
#pragma GCC unroll 2
      for (int r = 0; r < R; r++)
        RNN_PREFETCH(sequence.y[row + r] + step.nextY + panel * L, 1);
    Strides strides;
    strides.h = args.state.hStride;
    strides.units = args.state.unitStride;
    strides.out = step.outStride;
    strides.peephole = 0; // all rows have the same
    const PackedSpan inputGates{step.inputGates + row * sequence.inputGatesRow + panel * inputGatesPanel,
                                sequence.inputGatesRow};
    if constexpr (stage == Stage::begin)
      beginCells<R>(row, panel * L, sums, inputGates, strides);
    else if constexpr (stage == Stage::end)
      endCells<R>(row, panel * L, sums, strides);
    else
      cells<R>(row, panel * L, sums, inputGates, strides);
  }
  // M panels of one row from `panel` on, and half a one, whose packed accumulators lie together.
  template <int M, bool half>
  RNN_INLINE void row(size_t panel, const float* sums, PackedSpan inputGates) const {
    constexpr size_t sumsPanel = C::gates * L;
#pragma GCC unroll 1
    for (size_t m = 0; m + 2 <= M; m += 2)
      panels<2>(0, panel + m, {sums + m * sumsPanel, sumsPanel},
                {inputGates.at + m * inputGates.stride, inputGates.stride});
    if constexpr (M % 2 == 1)
      panels<1>(0, panel + M - 1, {sums + (M - 1) * sumsPanel, 0}, {inputGates.at + (M - 1) * inputGates.stride, 0});
    if constexpr (half)
      CellEpilogue<Half<V>, C>{args, step}.template panels<1>(0, 2 * (panel + M), {sums + M * sumsPanel, 0},
                                                              {inputGates.at + M * inputGates.stride, 0});
  }
  // R panels of one row from `panel` on.
  template <int R>
  RNN_INLINE void panels(size_t row, size_t panel, PackedSpan sums, PackedSpan inputGates) const {
    Strides strides;
    strides.h = strides.units = strides.out = L;
    strides.peephole = 3 * L;
    cells<R>(row, panel * L, sums, inputGates, strides);
  }
  // The same with their input gates.
  template <int R>
  RNN_INLINE void panels(size_t row, size_t panel, PackedSpan sums) const {
    const float* const inputGates = step.inputGates + row * args.sequence.inputGatesRow + panel * inputGatesPanel;
    panels<R>(row, panel, sums, {inputGates, inputGatesPanel});
  }

private:
  // Floats from one of the R vectors of units to the next.
  struct Strides {
    size_t h, units, out, peephole;
  };
  template <int R>
  using Unit = ::Unit<typename VecGroup<V, R>::Vec>;
  template <int R>
  struct Gates {
    typename VecGroup<V, R>::Vec x[C::gates], s[C::gates];
    RNN_INLINE Gates(PackedSpan sums, PackedSpan inputGates) {
#pragma GCC unroll 4
      for (int g = 0; g < C::gates; g++) {
        x[g] = VecGroup<V, R>::load(inputGates.at + g * L, inputGates.stride);
        s[g] = VecGroup<V, R>::load(sums.at + g * L, sums.stride);
      }
    }
  };
  // What a cell reads beside its gates.
  template <int R>
  RNN_INLINE Unit<R> unitsAt(size_t row, size_t unit, Strides strides) const {
    using Group = VecGroup<V, R>;
    const RecurrenceArgs::State& state = args.state;
    Unit<R> u;
    if constexpr (C::readsState)
      u.h = Group::load(step.h + row * state.hStride + unit, strides.h);
    if constexpr (C::hasCellState)
      u.c = Group::load(state.c + row * state.unitStride + unit, strides.units);
    if constexpr (C::general) {
      u.functions = args.weights.functions;
      u.seesCellState = args.weights.peephole != nullptr;
    }
    if constexpr (C::hasPeepholes)
      for (int g = 0; g < 3; g++)
        u.peephole[g] = C::general && !args.weights.peephole
                            ? Group::Vec::set(0.0f)
                            : Group::load(args.weights.peephole + unit * 3 + g * L, strides.peephole);
    return u;
  }
  template <int R>
  RNN_INLINE void storeCellState(const Unit<R>& u, size_t row, size_t unit, Strides strides) const {
    if constexpr (C::hasCellState)
      VecGroup<V, R>::store(u.c, args.state.c + row * args.state.unitStride + unit, strides.units);
  }
  template <int R>
  RNN_INLINE void cells(size_t row, size_t unit, PackedSpan sums, PackedSpan inputGates, Strides strides) const {
    using Group = VecGroup<V, R>;
    Gates<R> gates(sums, inputGates);
    Unit<R> u = unitsAt<R>(row, unit, strides);
    if constexpr (hasStages) {
      C::begin(gates.x, gates.s, u);
      Group::store(C::end(gates.s, u), step.out + row * step.outStride + unit, strides.out);
    } else {
      Group::store(C::next(gates.x, gates.s, u), step.out + row * step.outStride + unit, strides.out);
    }
    storeCellState<R>(u, row, unit, strides);
    if constexpr (C::candidates > 0)
      Group::store(u.updateGate, args.state.updateGate + row * args.state.unitStride + unit, strides.units);
  }
  // The stages of a cell that has them.
  template <int R>
  RNN_INLINE void beginCells(size_t row, size_t unit, ScratchSpan sums, PackedSpan inputGates, Strides strides) const {
    using Group = VecGroup<V, R>;
    Gates<R> gates(sums, inputGates);
    Unit<R> u = unitsAt<R>(row, unit, strides);
    C::begin(gates.x, gates.s, u);
    storeCellState<R>(u, row, unit, strides);
#pragma GCC unroll 4
    for (int g = C::gates - C::carried; g < C::gates; g++)
      Group::store(gates.s[g], sums.at + g * L, sums.stride);
  }
  template <int R>
  RNN_INLINE void endCells(size_t row, size_t unit, PackedSpan sums, Strides strides) const {
    using Group = VecGroup<V, R>;
    typename Group::Vec s[C::gates];
#pragma GCC unroll 4
    for (int g = C::gates - C::carried; g < C::gates; g++)
      s[g] = Group::load(sums.at + g * L, sums.stride);
    const Unit<R> u = unitsAt<R>(row, unit, strides);
    Group::store(C::end(s, u), step.out + row * step.outStride + unit, strides.out);
  }
};

// What follows the candidate's product, of a cell that has one.
template <class V, class C>
struct CandidateEpilogue {
  const RecurrenceArgs& args;
  const TimeStep& step;
  static constexpr bool takesTwoPanels = false, hasStages = false;

  template <Stage, int R>
  RNN_INLINE void rows(size_t row, size_t panel, PackedSpan sums) const {
    using Group = VecGroup<V, R>;
    constexpr size_t L = V::lanes, gates = C::gates + C::candidates;
    const RecurrenceArgs::State& state = args.state;
    const size_t inputGatesRow = args.sequence.inputGatesRow;
    const size_t unit = panel * L, at = row * state.hStride + unit;
    Unit<typename Group::Vec> u;
    u.h = Group::load(step.h + at, state.hStride);
    if constexpr (C::general)
      u.functions = args.weights.functions;
    u.updateGate = Group::load(state.updateGate + row * state.unitStride + unit, state.unitStride);
    const auto x = Group::load(step.inputGates + row * inputGatesRow + unit * gates + C::gates * L, inputGatesRow);
    Group::store(C::candidate(x, Group::load(sums.at, sums.stride), u), step.hNext + at, state.hStride);
  }
};

// What follows the projection: nothing.
template <class V, class C>
struct ProjectionEpilogue {
  const RecurrenceArgs& args;
  const TimeStep& step;
  static constexpr bool takesTwoPanels = false, hasStages = false;

  template <Stage, int R>
  RNN_INLINE void rows(size_t row, size_t panel, PackedSpan sums) const {
    using Group = VecGroup<V, R>;
    const size_t stride = args.state.hStride;
    Group::store(Group::load(sums.at, sums.stride), step.hNext + row * stride + panel * V::lanes, stride);
  }
};

// Calls `rows` of an epilogue for a panel of some rows, two at a time.
template <Stage stage, class Epilogue>
RNN_INLINE void applyToRows(const Epilogue& epilogue, size_t first, size_t count, size_t panel, ScratchSpan sums) {
  size_t r = 0;
  for (; r + 2 <= count; r += 2)
    epilogue.template rows<stage, 2>(first + r, panel, {sums.at + r * sums.stride, sums.stride});
  if (r < count)
    epilogue.template rows<stage, 1>(first + r, panel, {sums.at + r * sums.stride, sums.stride});
}

// Calls `rows` of an epilogue for some rows of a range's panels, whose packed accumulators are `sumsPanel` floats each;
// of a single row `panels`, which has two cells side by side as two rows have.
template <class Epilogue, bool severalPanels>
void applyEpilogue(const RecurrenceArgs& args, const TimeStep& step, size_t first, size_t count,
                   const PanelRange& range, ScratchSpan sums, size_t sumsPanel) {
  const Epilogue epilogue{args, step};
  size_t m = 0;
  if constexpr (severalPanels && Epilogue::takesTwoPanels)
    if (count == 1)
      for (; m + 2 <= range.panels; m += 2, sums.at += 2 * sumsPanel)
        epilogue.template panels<2>(first, range.firstPanel() + m, {sums.at, sumsPanel});
  for (; m < range.panels; m++, sums.at += sumsPanel) {
    const size_t panel = range.firstPanel() + m;
    if constexpr (Epilogue::hasStages) {
      applyToRows<Stage::begin>(epilogue, first, count, panel, sums);
      applyToRows<Stage::end>(epilogue, first, count, panel, sums);
    } else {
      applyToRows<Stage::whole>(epilogue, first, count, panel, sums);
    }
  }
}

// The same as data: products that go through memory have one code for all cells and for any number of k-splits.
struct UnfusedEpilogue {
  using Apply = void (*)(const RecurrenceArgs& args, const TimeStep& step, size_t first, size_t count,
                         const PanelRange& range, ScratchSpan sums, size_t sumsPanel);
  Apply whole, half; // of panels and of half panels
};
template <class V, class C, template <class, class> class Epilogue>
constexpr UnfusedEpilogue unfusedEpilogue = {applyEpilogue<Epilogue<V, C>, true>,
                                             applyEpilogue<Epilogue<Half<V>, C>, !V::hasHalfPanels>};

} // namespace
