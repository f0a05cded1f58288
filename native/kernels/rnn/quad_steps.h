// Steps of one row of a small layer in int8 times int8: input, products and cell in one function for each cell, whose
// sums stay in registers. Through memory, as larger layers go, a step of 16 units takes half as long again. Internal to
// each object that has products of int8.
#pragma once
#include "../matmul/quads.h"
#include "cells/cells.h"
#include "recurrence.h"

namespace {

// A row in int8.
struct QuantizedRow {
  alignas(64) int8_t q[quantizedStride(mostRowStepInputs)];
  float scale;
  // In the caller's own code: all else waits for it.
  template <class V>
  RNN_INLINE void set(const float* a, size_t K) {
    scale = rowToInt8Inlined<typename PlainOf<V>::Vec>(a, K, q);
  }
};

// Sums of N vectors of columns. An instruction set that flips its weights makes the sum of the inputs beside them: a
// row is small, and nothing waits for it.
template <class V, int N>
struct QuadSums {
  using Dots = typename V::Dots;
  Dots sums[N], flips;
  RNN_INLINE QuadSums() : flips(startDots<Dots>(0)) {
#pragma GCC unroll 8
    for (int n = 0; n < N; n++)
      sums[n] = startDots<Dots>(0);
  }
  RNN_INLINE void addQuad(const int32_t* w, const int8_t* q) {
    const typename Dots::Inputs a = Dots::broadcast(q);
#pragma GCC unroll 8
    for (int n = 0; n < N; n++)
      sums[n] = sums[n].plus(w + n * V::lanes, a);
    if constexpr (takesSums<Dots>)
      flips = flips.plus(Dots::flippedZeros(), a);
  }
  RNN_INLINE void add(const QuadSums& other) {
#pragma GCC unroll 8
    for (int n = 0; n < N; n++)
      sums[n] = sums[n].plus(other.sums[n]);
    flips = flips.plus(other.flips);
  }
  RNN_INLINE Dots at(int n) const {
    if constexpr (takesSums<Dots>)
      return sums[n].minus(flips);
    else
      return sums[n];
  }
};

// A row times N vectors of columns of a block, as floats.
template <class V, int N>
RNN_INLINE void multiplyQuads(const PackedView& p, size_t firstWeight, size_t wStride, size_t firstColumn,
                              const QuantizedRow& row, float* out) {
  using Plain = typename PlainOf<V>::Vec;
  constexpr size_t L = V::lanes;
  // Where one instruction multiplies and adds, a sum waits for it each time: few columns take several sums.
  constexpr size_t chains = !takesSums<typename V::Dots> ? 1 : N <= 2 ? 4 : N <= 4 ? 2 : 1;
  const int32_t* w = static_cast<const int32_t*>(p.weights) + firstWeight;
  const int8_t* q = row.q;
  QuadSums<V, N> parts[chains];
  size_t k = 0;
  for (; k + chains <= p.K; k += chains)
#pragma GCC unroll 4
    for (size_t c = 0; c < chains; c++, w += wStride, q += 4)
      parts[c].addQuad(w, q);
  for (; k < p.K; k++, w += wStride, q += 4)
    parts[0].addQuad(w, q);
  if constexpr (chains == 4)
    parts[0].add(parts[2]), parts[1].add(parts[3]);
  if constexpr (chains > 1)
    parts[0].add(parts[1]);
  const Plain factor = Plain::set(row.scale);
  const float *const scales = p.scales + firstColumn, *const bias = p.bias + firstColumn;
#pragma GCC unroll 8
  for (int n = 0; n < N; n++) {
    float* const sum = out + n * L;
    parts[0].at(n).store(sum);
    fma(Plain::load(scales + n * L) * factor, Plain::ofInts(sum), Plain::load(bias + n * L)).store(sum);
  }
}

// What a step of one row has.
template <class C>
struct QuadStep {
  const RecurrenceArgs& args;
  const TimeStep& step;
  const QuantizedRow &x, &h;

  // Panels [panel, panel + M) of a block of V's panels.
  template <class V, int M>
  RNN_INLINE void panels(const Block& block, size_t panel) const {
    constexpr size_t L = V::lanes, G = C::gates, sumsPanel = G * L;
    const CellEpilogue<typename PlainOf<V>::Vec, C> epilogue{args, step};
    const PackedView& recurrent = args.weights.recurrent;
    const size_t inBlock = rowOffset(panel - block.firstPanel, G, L), stride = kStride(block.panels, G, L);
    const size_t column = rowOffset(panel, G, L);
    alignas(64) float sums[M * sumsPanel], inputGates[M * sumsPanel];
    const float* gates = step.inputGates + column;
    if (step.input) {
      const PackedView& input = args.fusedInput.matrix;
      multiplyQuads<V, M * G>(input, blockOffset(block.firstPanel, G, L, input.K) + inBlock, stride, column, x,
                              inputGates);
      gates = inputGates;
    }
    multiplyQuads<V, M * G>(recurrent, blockOffset(block.firstPanel, G, L, recurrent.K) + inBlock, stride, column, h,
                            sums);
#pragma GCC unroll 2
    for (size_t m = 0; m + 2 <= M; m += 2)
      epilogue.template panels<2>(0, panel + m, {sums + m * sumsPanel, sumsPanel}, {gates + m * sumsPanel, sumsPanel});
    if constexpr (M % 2 == 1)
      epilogue.template panels<1>(0, panel + M - 1, {sums + (M - 1) * sumsPanel, 0}, {gates + (M - 1) * sumsPanel, 0});
  }
  template <class V, int M>
  RNN_ONE_COPY void panelsApart(const Block& block, size_t panel) const {
    panels<V, M>(block, panel);
  }
  // All of a block, some at a time.
  template <class V>
  RNN_INLINE void block(const Block& block) const {
    constexpr size_t most = C::gates == 1 ? least(4, 32 / V::lanes) : 2;
    const size_t end = block.firstPanel + block.panels;
    for (size_t panel = block.firstPanel, count; panel < end; panel += count) {
      const size_t rest = end - panel;
      count = rest == most + 1 ? most / 2 + 1 : least(rest, most); // two cells at a time go side by side
      some<V, most>(count, block, panel);
    }
  }
  template <class V, int M>
  RNN_INLINE void some(size_t count, const Block& block, size_t panel) const {
    if constexpr (M > 1)
      if (count < size_t(M))
        return some<V, M - 1>(count, block, panel);
    // On wide cores a single vector takes little longer than a call.
    if constexpr (M * C::gates == 1 && V::hasHalfPanels)
      panels<V, M>(block, panel);
    else
      panelsApart<V, M>(block, panel);
  }
};

template <class V, class C>
void quadRowSteps(const RecurrenceArgs& args) {
  const PackedView& p = args.weights.recurrent;
  QuantizedRow x, h;
  for (size_t t = 0; t < args.sequence.T; t++) {
    const TimeStep step = timeStep<C>(args, t, false);
    h.set<V>(step.h, p.inputs);
    if (step.input)
      x.set<V>(step.input, args.fusedInput.matrix.inputs);
    const QuadStep<C> quads{args, step, x, h};
    for (size_t i = 0; i < blocksOf(p).parts; i++)
      quads.template block<V>(blockAt(blocksOf(p), i));
    if constexpr (V::hasHalfPanels)
      if (p.tailHalf) {
        const Block half = tailHalfBlock(blocksOf(p).begin(blocksOf(p).parts));
        quads.template panelsApart<Half<V>, 1>(half, half.firstPanel);
      }
    storeOutput<V>(args, step);
  }
}

// A table of products and these steps, for the cells that small layers mostly have.
template <class V>
constexpr DotKernels withRowSteps(DotKernels table) {
  AllCells::forEach([&](auto cell) {
    using C = decltype(cell);
    if constexpr (tilingOf<V>.fusesQuadSteps && C::candidates == 0 && !C::general && !C::hasPeepholes)
      table.rowSteps[size_t(C::kind)] = quadRowSteps<V, C>;
  });
  return table;
}

} // namespace
