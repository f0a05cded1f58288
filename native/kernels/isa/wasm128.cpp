// WebAssembly with SIMD128: 4 floats a vector. Engines have 15 registers for them on x86-64, 32 on Arm; a product takes
// one of them too, and a tile that V8 has to keep partly in memory is a third slower.
#include "../simd/wasm128.h"
#include "../matmul/tiling.h"

namespace {

template <>
constexpr Tiling tilingOf<Vec4> = [] {
  Tiling t{};
  t.singleBlockAccumulators = 12;
  t.singleBlockPanels = 10;
  t.blockAccumulators = 12;
  t.largeBlockAccumulators = 12;
  t.tileAccumulators = 8;
  t.mr = 4;
  t.mrOfOneVector = 4;
  t.kcBytes = 16384;
  t.overlapRows = 0;
  return t;
}();

} // namespace

#include "table.h"

namespace native_rnn {
extern const Kernels wasm128Kernels;
const Kernels wasm128Kernels = makeKernels<Vec4>("wasm", 0);
} // namespace native_rnn
