// Any processor: 4 floats a vector, 16 registers; a product without fma takes some of them too.
#include "../simd/portable.h"
#include "../matmul/tiling.h"

namespace {

template <>
constexpr Tiling tilingOf<Vec4> = [] {
  Tiling t{};
  t.singleBlockAccumulators = 12;
  t.singleBlockPanels = 10;
  t.blockAccumulators = 12;
  t.largeBlockAccumulators = 12;
  t.tileAccumulators = 10;
  t.mr = 5;
  t.mrOfOneVector = 5;
  t.kcBytes = 16384;
  t.overlapRows = 0;
  t.widenedInt8Caches = 3;
  return t;
}();

} // namespace

#include "table.h"

namespace native_rnn {
extern const Kernels portableKernels;
const Kernels portableKernels = makeKernels<Vec4>("portable", 0);
} // namespace native_rnn
