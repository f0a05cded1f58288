// The tiling of eight floats a vector: 16 registers in avx2.cpp, and in avx512.cpp the half panels.
#pragma once
#include "../matmul/tiling.h"
#include "../simd/avx2.h"

namespace {

template <>
constexpr Tiling tilingOf<Vec8> = [] {
  Tiling t{};
  t.singleBlockAccumulators = 12;
  t.singleBlockPanels = 10;
  t.blockAccumulators = 12;
  t.largeBlockAccumulators = 12;
  t.tileAccumulators = 12;
  t.mr = 6;
  t.mrOfOneVector = 6;
  t.kcBytes = 16384;
  t.overlapRows = 0;
  t.widenedInt8Caches = 3;
  t.fusesQuadSteps = true;
  return t;
}();

} // namespace
