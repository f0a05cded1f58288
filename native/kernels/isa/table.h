// The table of an instruction set, built at compile time of everything that the kernels' sources hold for its Vec. Each
// isa/*.cpp includes this alone; all of it is internal to that one object.
#pragma once
#include "../ops/table.h"
#include "../rnn/cells/cells.h"
#include "../rnn/quad_steps.h"

namespace {

template <class V>
constexpr bool rowKernelsSuffice(int G) {
  return singleBlockPanels<V>(G, 1) >= widestBlockOfSeveral<V>(G);
}

// The rows of the lists and the kernels' cells say the same.
template <class C>
constexpr bool agrees(const CellTraits& traits) {
  return size_t(C::gates + C::candidates) == traits.gates && size_t(C::candidates) == traits.candidateGates &&
         C::hasCellState == traits.hasCellState && C::hasPeepholes == traits.hasPeepholes &&
         C::general == traits.general;
}

// Steps of a row have code where its products are the ones that are used: wide cores have VNNI's.
template <class V>
constexpr DotKernels ownDots = V::hasHalfPanels ? makeDotKernels<V>("its own", 0)
                                                : withRowSteps<V>(makeDotKernels<V>("its own", 0));

template <class V>
constexpr Kernels makeKernels(const char* name, uint32_t needs) {
  static_assert(tilingOf<V>.overlapRows <= int(maxOverlapRows), "a recurrence has memory for three times as many rows");
  static_assert(rowKernelsSuffice<V>(1) && rowKernelsSuffice<V>(2) && rowKernelsSuffice<V>(3) &&
                    rowKernelsSuffice<V>(4),
                "there are kernels of a row for as many panels as the only block may have");
  Kernels table{};
  table.name = name;
  table.needs = needs;
  table.fused = V::fused;
  table.lanes = V::lanes;
  table.hasHalfPanels = V::hasHalfPanels;
  table.overlapRows = tilingOf<V>.overlapRows;
  for (int G = 1; G <= 4; G++)
    for (int log2 = 0; log2 <= 1; log2++)
      table.blockPanels[G - 1][log2] = {size_t(singleBlockPanels<V>(G, 1 << log2)),
                                        size_t(blockPanels<V>(G, 1 << log2)),
                                        size_t(largeBlockPanels<V>(G, 1 << log2))};
  table.dots = &ownDots<V>;
  table.widenedInt8Caches = size_t(tilingOf<V>.widenedInt8Caches);
  table.ops = makeOpKernels<V>();
  size_t type = 0;
  forEachWeightType([&](auto weight) {
    using W = decltype(weight);
    table.fusesRowSteps[type] = W::fusesRowSteps;
    table.gemm[type][0] = gemm<V, W, 1>;
    table.gemm[type][1] = gemm<V, W, 2>;
    table.gemm[type][2] = gemm<V, W, 3>;
    table.gemm[type][3] = gemm<V, W, 4>;
    static_assert(AllCells::count == cellKinds, "every kind of cell is in the list");
    AllCells::forEach([&](auto cell) {
      using C = decltype(cell);
      static_assert(agrees<C>(cellTraits(C::kind)), "spec/cell_traits.h and the cell say the same");
      table.recurrence[type][size_t(C::kind)] = recurrence<V, W, typename CodeOf<C>::Cell>;
    });
    type++;
  });
  return table;
}

} // namespace
