// The tiling of NEON's four floats a vector, 32 registers.
#pragma once
#include "../matmul/tiling.h"
#include "../simd/neon.h"

namespace {

template <>
constexpr Tiling tilingOf<Vec4> = [] {
  Tiling t{};
  t.singleBlockAccumulators = 12;
  t.singleBlockPanels = 10;
  t.blockAccumulators = 12;
  t.largeBlockAccumulators = 12;
  t.tileAccumulators = 24;
  t.mr = 8;
  t.mrOfOneVector = 6;
  t.kcBytes = 24576;
  t.overlapRows = 0;
  t.widenedInt8Caches = 3;
  t.fusesQuadSteps = true;
  return t;
}();

} // namespace
