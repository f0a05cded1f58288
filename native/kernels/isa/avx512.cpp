// AVX-512 F, VL, DQ and BW, and F16C: 16 floats a vector, 32 registers.
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
  return t;
}();

} // namespace

#include "table.h"

namespace native_rnn {
extern const Kernels avx512Kernels;
const Kernels avx512Kernels = makeKernels<Vec16>("avx512", cpuAvx | cpuAvx2 | cpuFma | cpuF16c | cpuAvx512f |
                                                               cpuAvx512vl | cpuAvx512dq | cpuAvx512bw);
} // namespace native_rnn
