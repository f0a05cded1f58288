// What follows the sums of a step: the cell on registers, for a panel of some rows or some panels of a row. Included by
// run.h only, internal to each ISA's object.
#pragma once
#include "../matmul/gemm.h"
#include "../simd/vec_pair.h"

#include "cells/cells.h"

namespace {

// One time step: where its input, its input sums, its old state and its new state lie.
struct TimeStep {
  const float* input; // one row, or null where the input sums are there already
  const float* x;
  const float* h;
  float* hNext;
  float* out; // what the cell gives: the new state, or what the second product reads
  size_t outStride;
  ptrdiff_t nextY; // floats from an output row of the first step to that of the next one
};

// Packed sums of some rows or panels: where the first one's lie, and the floats to the next one's.
struct PackedRows {
  const float* at;
  size_t stride;
};

// Asks for memory that will be written soon; where a compiler has no word for that, nothing.
RNN_INLINE void prefetchWrite(const float* memory) {
#if defined(_MSC_VER)
  (void)memory;
#else
  __builtin_prefetch(memory, 1);
#endif
}

// What follows the first product: the cell on registers, its result to the new state or to the second product.
template <class V, class C>
struct CellEpilogue {
  const RecurrenceArgs& args;
  const TimeStep& step;
  static constexpr size_t L = V::lanes, xPanel = L * (C::gates + C::candidates);

  // One panel of R rows from `row` on.
  template <int R>
  RNN_INLINE void rows(size_t row, size_t panel, PackedRows sums) const {
    if (args.prefetched)
#pragma GCC unroll 2
      for (int r = 0; r < R; r++)
        prefetchWrite(args.prefetched[row + r] + step.nextY + panel * L);
    cells<R>(row, panel * L, sums, {step.x + row * args.inputGatesRow + panel * xPanel, args.inputGatesRow},
             {args.hStride, args.unitStride, step.outStride, 0});
  }
  // M panels of one row from `panel` on, and half a one, whose packed sums lie together.
  template <int M, bool half>
  RNN_INLINE void row(size_t panel, const float* sums, PackedRows inputSums) const {
    constexpr size_t panelSums = C::gates * L;
#pragma GCC unroll 1
    for (size_t m = 0; m + 2 <= M; m += 2)
      panels<2>(panel + m, {sums + m * panelSums, panelSums}, {inputSums.at + m * inputSums.stride, inputSums.stride});
    if constexpr (M % 2 == 1)
      panels<1>(panel + M - 1, {sums + (M - 1) * panelSums, 0}, {inputSums.at + (M - 1) * inputSums.stride, 0});
    if constexpr (half)
      CellEpilogue<Half<V>, C>{args, step}.template panels<1>(2 * (panel + M), {sums + M * panelSums, 0},
                                                              {inputSums.at + M * inputSums.stride, 0});
  }
  // R panels of one row from `panel` on.
  template <int R>
  RNN_INLINE void panels(size_t panel, PackedRows sums, PackedRows inputSums) const {
    cells<R>(0, panel * L, sums, inputSums, {L, L, L, 3 * L});
  }

private:
  struct Strides {
    size_t h, units, out, peephole;
  };
  template <int R>
  RNN_INLINE void cells(size_t row, size_t unit, PackedRows sums, PackedRows inputSums, Strides strides) const {
    using Of = VecGroup<V, R>;
    typename Of::Vec x[C::gates], s[C::gates];
#pragma GCC unroll 4
    for (int g = 0; g < C::gates; g++) {
      x[g] = Of::load(inputSums.at + g * L, inputSums.stride);
      s[g] = Of::load(sums.at + g * L, sums.stride);
    }
    const size_t place = row * args.unitStride + unit;
    Unit<typename Of::Vec> u;
    if constexpr (C::readsState)
      u.h = Of::load(step.h + row * args.hStride + unit, strides.h);
    if constexpr (C::hasCellState)
      u.c = Of::load(args.c + place, strides.units);
    if constexpr (C::hasPeepholes)
      for (int g = 0; g < 3; g++)
        u.peephole[g] = Of::load(args.peephole + unit * 3 + g * L, strides.peephole);
    Of::store(C::next(x, s, u), step.out + row * step.outStride + unit, strides.out);
    if constexpr (C::hasCellState)
      Of::store(u.c, args.c + place, strides.units);
    if constexpr (C::candidates > 0)
      Of::store(u.updateGate, args.updateGate + place, strides.units);
  }
};

// What follows the second product of a cell that has one.
template <class V, class C>
struct CandidateEpilogue {
  const RecurrenceArgs& args;
  const TimeStep& step;

  template <int R>
  RNN_INLINE void rows(size_t row, size_t panel, PackedRows sums) const {
    using Of = VecGroup<V, R>;
    constexpr size_t L = V::lanes, gates = C::gates + C::candidates;
    const size_t unit = panel * L, place = row * args.hStride + unit;
    Unit<typename Of::Vec> u;
    u.h = Of::load(step.h + place, args.hStride);
    u.updateGate = Of::load(args.updateGate + row * args.unitStride + unit, args.unitStride);
    const auto x = Of::load(step.x + row * args.inputGatesRow + unit * gates + C::gates * L, args.inputGatesRow);
    Of::store(C::candidate(x, Of::load(sums.at, sums.stride), u), step.hNext + place, args.hStride);
  }
};

// What follows the projection: nothing.
template <class V, class C>
struct ProjectionEpilogue {
  const RecurrenceArgs& args;
  const TimeStep& step;

  template <int R>
  RNN_INLINE void rows(size_t row, size_t panel, PackedRows sums) const {
    using Of = VecGroup<V, R>;
    Of::store(Of::load(sums.at, sums.stride), step.hNext + row * args.hStride + panel * V::lanes, args.hStride);
  }
};

// Calls finish.rows for some rows of a part's panels, whose packed sums are `panelSums` each; one function for
// products of any number of partial sums.
template <class Epilogue>
RNN_NOINLINE void applyEpilogue(const Epilogue& epilogue, size_t first, size_t count, const PanelRange& range,
                                PackedRows sums, size_t panelSums) {
  for (size_t m = 0; m < range.panels; m++, sums.at += panelSums) {
    const size_t panel = range.firstPanel() + m;
    size_t r = 0;
    for (; r + 2 <= count; r += 2)
      epilogue.template rows<2>(first + r, panel, {sums.at + r * sums.stride, sums.stride});
    if (r < count)
      epilogue.template rows<1>(first + r, panel, {sums.at + r * sums.stride, sums.stride});
  }
}

} // namespace
