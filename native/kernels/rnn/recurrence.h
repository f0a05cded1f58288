// The recurrent loop over time, written once over <Vec, Weight, Cell>. Internal to each instruction set's object.
#pragma once
#include "step.h"

namespace {

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

inline void meetThreads(const RecurrenceArgs& args) {
  if (args.threads.count > 1)
    args.threads.arriveAndWait(args.threads.barrier);
}

// The second product of a step, if the cell has one: candidate or projection.
template <class V, class W, class C, template <class, class> class Epilogue>
RNN_INLINE void secondProduct(const RecurrenceArgs& args, const TimeStep& step, const PackedView& p, bool reverse) {
  const RecurrenceArgs::State& state = args.state;
  withKSplits<1>(p.kSplitsLog2, [&](auto splits) {
    constexpr int S = decltype(splits)::count;
    // Of one row without the way through the code that all cells have, which costs a small layer a tenth of its time.
    if (!C::general && args.sequence.B == 1)
      unfusedRow<V, W, 1, S>(args, step, p, reverse, 0, state.secondInput, unfusedEpilogue<V, C, Epilogue>);
    else
      unfusedRows<V, W, 1, S>(args, step, p, reverse, state.secondInput, state.unitStride,
                              unfusedEpilogue<V, C, Epilogue>);
  });
}
template <class V, class W, class C>
inline void secondProduct(const RecurrenceArgs& args, const TimeStep& step, bool reverse) {
  if constexpr (C::candidates > 0)
    secondProduct<V, W, C, CandidateEpilogue>(args, step, args.weights.candidate, reverse);
  else if constexpr (C::hasCellState)
    secondProduct<V, W, C, ProjectionEpilogue>(args, step, args.weights.projection, reverse);
}

// The new state to the caller's rows. Of one row the next step's memory is asked for here, panel by panel, as the cells
// of several rows do.
template <class V>
inline void storeOutput(const RecurrenceArgs& args, const TimeStep& step) {
  const RecurrenceArgs::Sequence& sequence = args.sequence;
  if (sequence.prefetchesNextY && sequence.B == 1)
    for (size_t i = 0; i < sequence.outputs; i += V::lanes)
      RNN_PREFETCH(sequence.y[0] + step.nextY + i, 1);
  if (sequence.y)
    for (size_t b = 0; b < sequence.B; b++)
      copyRow(sequence.y[b] + step.y, step.hNext + b * args.state.hStride, sequence.outputs);
}

// Where step t of a sequence reads and writes.
template <class C>
RNN_INLINE TimeStep timeStep(const RecurrenceArgs& args, size_t t, bool hasSecond) {
  const RecurrenceArgs::State& state = args.state;
  const RecurrenceArgs::Sequence& sequence = args.sequence;
  const ptrdiff_t y = ptrdiff_t(t) * sequence.yStep;
  float* const hNext = state.h[~t & 1];
  return {args.fusedInput.row,
          sequence.inputGates + t * sequence.inputGatesStep,
          state.h[t & 1],
          hNext,
          hasSecond ? state.secondInput : hNext,
          hasSecond ? state.unitStride : state.hStride,
          y,
          y + sequence.yStep};
}

// Whether a row's step fuses product and cell: where the weight type has code for that, and not of general cells,
// whose functions take longer than what it saves.
template <class W, class C>
constexpr bool fusesRowSteps = W::fusesRowSteps && !C::general;

template <class W, class C>
constexpr bool canOverlap(int overlapRows, int S) {
  return W::type == WeightType::f32 && overlapRows > 0 && S == 1 && fusesRowSteps<W, C>;
}

// What does the recurrent product and the cell of a single row: fused with each other, and beside tiles of later input
// gates, where there is code for that; else as `allRows` does.
template <class V, class W, class C, int S, class AllRows>
RNN_INLINE auto fusedRowStep(const RecurrenceArgs& args, OverlappedGemm<V, W, C::gates + C::candidates>& overlapped,
                             const AllRows& allRows) {
  if constexpr (!fusesRowSteps<W, C>) {
    return allRows;
  } else {
    const auto kernels = fusedRowKernels<V, W, C, S>(args);
    return [&args, &overlapped, kernels](const TimeStep& step, bool reverse) {
      const PackedView& recurrent = args.weights.recurrent;
      if constexpr (canOverlap<W, C>(tilingOf<V>.overlapRows, S))
        if (args.overlap.gemm.rows)
          return overlappedRowStep<V, W, C>(args, step, reverse, overlapped);
      forEachGemvBlock<V>(args, recurrent, reverse, [&](const Block& block, bool half) {
        kernels.at(recurrent, block, half)(args, step, block.firstPanel);
      });
    };
  }
}

template <class V, class W, class C, int S>
void timeLoop(const RecurrenceArgs& args) {
  const bool hasSecond = C::candidates > 0 || args.weights.projects;
  constexpr bool overlaps = canOverlap<W, C>(tilingOf<V>.overlapRows, S);
  RNN_ASSERT(overlaps || args.overlap.gemm.rows == 0);
  RNN_ASSERT((fusesRowSteps<W, C>) || !args.fusedInput.row);
  const PackedView& recurrent = args.weights.recurrent;
  OverlappedGemm<V, W, C::gates + C::candidates> overlapped(args.overlap.gemm, args.threads);
  const auto allRows = [&](const TimeStep& step, bool reverse) {
    unfusedRows<V, W, C::gates, S>(args, step, recurrent, reverse, step.h, args.state.hStride,
                                   unfusedEpilogue<V, C, CellEpilogue>);
  };
  const auto oneRow = fusedRowStep<V, W, C, S>(args, overlapped, allRows);
  for (size_t t = 0; t < args.sequence.T; t++) {
    const TimeStep step = timeStep<C>(args, t, hasSecond);
    // Serpentine: every other step walks from the last block to the first, to meet what the step before left in the
    // cache.
    const bool reverse = args.sequence.reverseBlocks != bool(t & 1);
    // 1. recurrent product and cell; of one row input gates too, of this step or of later ones
    if (args.sequence.B == 1)
      oneRow(step, reverse);
    else
      allRows(step, reverse);
    meetThreads(args);
    // 2. candidate or projection
    if (hasSecond) {
      secondProduct<V, W, C>(args, step, reverse);
      meetThreads(args);
    }
    // 3. output
    if (args.threads.index == 0)
      storeOutput<V>(args, step);
  }
  // 4. input gates of later steps that no block took along
  if constexpr (overlaps)
    if (args.overlap.gemm.rows)
      overlapped.finishRest();
}

// A product of all rows and what follows it, as data: weight types whose rows' steps are not fused have one loop over
// time for each cell.
using UnfusedRows = void (*)(const RecurrenceArgs& args, const TimeStep& step, const PackedView& p, bool reverse,
                             const float* a, size_t aStride, const UnfusedEpilogue& epilogue);
template <class V, class W, int G>
inline UnfusedRows unfusedRowsFor(const PackedView& p) {
  UnfusedRows rows = nullptr;
  withKSplits<G>(p.kSplitsLog2,
                 [&](auto splits) { rows = unfusedRows < V, W, G, isQuads<W> ? 1 : decltype(splits)::count > ; });
  return rows;
}

template <class V, class C>
RNN_ONE_COPY void unfusedTimeLoop(const RecurrenceArgs& args, UnfusedRows first, UnfusedRows second,
                                  const PackedView& secondMatrix) {
  const RecurrenceArgs::State& state = args.state;
  const bool hasSecond = C::candidates > 0 || args.weights.projects;
  RNN_ASSERT(args.overlap.gemm.rows == 0 && !args.fusedInput.row);
  for (size_t t = 0; t < args.sequence.T; t++) {
    const TimeStep step = timeStep<C>(args, t, hasSecond);
    const bool reverse = args.sequence.reverseBlocks != bool(t & 1);
    first(args, step, args.weights.recurrent, reverse, step.h, state.hStride, unfusedEpilogue<V, C, CellEpilogue>);
    meetThreads(args);
    if (hasSecond) {
      if constexpr (C::candidates > 0)
        second(args, step, secondMatrix, reverse, state.secondInput, state.unitStride,
               unfusedEpilogue<V, C, CandidateEpilogue>);
      else if constexpr (C::hasCellState)
        second(args, step, secondMatrix, reverse, state.secondInput, state.unitStride,
               unfusedEpilogue<V, C, ProjectionEpilogue>);
      meetThreads(args);
    }
    if (args.threads.index == 0)
      storeOutput<V>(args, step);
  }
}

template <class V, class W, class C>
void recurrence(const RecurrenceArgs& args) {
  if constexpr (W::fusesRowSteps) {
    withKSplits<C::gates>(args.weights.recurrent.kSplitsLog2,
                          [&](auto splits) { timeLoop<V, W, C, decltype(splits)::count>(args); });
  } else {
    if constexpr (isQuads<W>)
      if (args.weights.rowSteps && args.sequence.B == 1 && args.threads.count == 1)
        return args.weights.rowSteps(args);
    const PackedView& second = C::candidates > 0 ? args.weights.candidate : args.weights.projection;
    unfusedTimeLoop<V, C>(args, unfusedRowsFor<V, W, C::gates>(args.weights.recurrent), unfusedRowsFor<V, W, 1>(second),
                          second);
  }
}

} // namespace
