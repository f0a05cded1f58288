// The tiling of sixteen floats a vector, 32 registers; half panels have that of eight.
#pragma once
#include "../simd/avx512.h"
#include "vec8_tiling.h"

namespace {

template <>
constexpr Tiling tilingOf<Vec16> = [] {
  Tiling t{};
  t.singleBlockAccumulators = 12;
  t.singleBlockPanels = 8;
  t.blockAccumulators = 8;
  t.largeBlockAccumulators = 4;
  t.tileAccumulators = 24;
  t.mr = 8;
  t.mrOfOneVector = 6;
  t.kcBytes = 131072;
  t.overlapRows = 8;
  t.tilesReadNarrow = true;
  t.widenedInt8Caches = 1;
  t.asksAheadBytes = 3072;
  t.fusesQuadSteps = true;
  return t;
}();

} // namespace
