// NEON of 64-bit Arm: 4 floats a vector, 32 registers.
#include "../simd/neon.h"
#include "../matmul/tiling.h"

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
  return t;
}();

} // namespace

#include "table.h"

namespace native_rnn {
extern const Kernels neonKernels;
const Kernels neonKernels = makeKernels<Vec4>("neon", cpuNeon);
} // namespace native_rnn
