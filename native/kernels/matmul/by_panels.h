// Picks the code for a block of a given width. What is done to one row, block by block, is compiled once for each
// number of panels that a block may have, and once more for a block that takes half a panel along; a pointer to each is
// picked before the loop over time, so that the loop has nothing to decide.
//
// Such a family of functions is a struct with
//
//   Vec                      the vector as wide as its panels
//   most                     the most panels that there is code for
//   Kernel                   the type of a pointer to one of its functions
//   Of<M, half>::call        the function for M panels, and half a panel behind them
//   WithHalf                 the family whose Of<M, true> is used for a block with half a panel
//   OfHalf                   the family over half panels, for a product that is nothing else
//
// as GemvPanels in gemv.h is: kernelFor<GemvPanels<V, F32, 3, 1>, false>(2) is its Of<2, false>::call.
#pragma once
#include "../kernels.h"
#include "layout.h"

namespace {

using namespace native_rnn;

// The vector of half panels; never used where there are none.
template <class V, bool = V::hasHalfPanels>
struct HalfOf {
  using Vec = V;
};
template <class V>
struct HalfOf<V, true> {
  using Vec = typename V::Half;
};
template <class V>
using Half = typename HalfOf<V>::Vec;

template <class Kernel, int most>
struct KernelsByPanels {
  Kernel of[most];
};
template <class Family, bool half, int M, class Kernels>
constexpr void fillKernels(Kernels& kernels) {
  if constexpr (M > 1)
    fillKernels<Family, half, M - 1>(kernels);
  kernels.of[M - 1] = Family::template Of<M, half>::call;
}
template <class Family, bool half>
inline typename Family::Kernel kernelFor(size_t panels) {
  static constexpr auto kernels = [] {
    KernelsByPanels<typename Family::Kernel, Family::most> kernels{};
    fillKernels<Family, half, Family::most>(kernels);
    return kernels;
  }();
  RNN_ASSERT(panels >= 1 && panels <= size_t(Family::most));
  return kernels.of[panels - 1];
}

// How the whole panels of a view are dealt to its blocks.
RNN_INLINE EvenSplit blocksOf(const PackedView& p) { return {p.blocks - p.tailHalf, p.panelsPerBlock, p.largerBlocks}; }

// A single row takes half a panel along with the block before it: its few accumulators would wait for themselves alone.
inline size_t gemvBlocks(const PackedView& p) { return p.blocks - (p.tailHalf && p.blocks > 1); }
template <class V>
inline bool joinsTailHalf(const PackedView& p, size_t block) {
  return V::hasHalfPanels && p.tailHalf && block + 1 == gemvBlocks(p);
}

// The functions of a family for the blocks of one product.
template <class Kernel>
struct BlockKernels {
  Kernel regular = nullptr, larger = nullptr, withHalf = nullptr;
  Kernel at(const PackedView& p, const Block& block, bool joinsHalf) const {
    return joinsHalf ? withHalf : block.panels == p.panelsPerBlock ? regular : larger;
  }
};

// Those for whole panels.
template <class Family>
inline BlockKernels<typename Family::Kernel> wholePanelKernels(const PackedView& p) {
  BlockKernels<typename Family::Kernel> kernels;
  if (p.panelsPerBlock)
    kernels.regular = kernelFor<Family, false>(p.panelsPerBlock);
  if (p.largerBlocks)
    kernels.larger = kernelFor<Family, false>(p.panelsPerBlock + 1);
  return kernels;
}
// And for the half panel at the end.
template <class Family>
inline BlockKernels<typename Family::Kernel> blockKernels(const PackedView& p) {
  BlockKernels<typename Family::Kernel> kernels = wholePanelKernels<Family>(p);
  if constexpr (Family::Vec::hasHalfPanels)
    if (p.tailHalf)
      kernels.withHalf = p.panelsPerBlock ? kernelFor<typename Family::WithHalf, true>(p.panelsPerBlock)
                                          : Family::OfHalf::template Of<1, false>::call;
  return kernels;
}

// Calls visit(width, block) with a block and, as width.Vec, the vector that is as wide as its panels.
template <class V>
struct Width {
  using Vec = V;
};
template <class V, class Visit>
RNN_INLINE void withBlockWidth(const PackedView& p, size_t index, const Visit& visit) {
  const Block block = blockAt(blocksOf(p), index);
  if constexpr (V::hasHalfPanels)
    if (p.tailHalf && index + 1 == p.blocks)
      return visit(Width<Half<V>>{}, tailHalfBlock(block.firstPanel));
  visit(Width<V>{}, block);
}

} // namespace
