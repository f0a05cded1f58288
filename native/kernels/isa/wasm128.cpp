// WebAssembly with SIMD128: 4 floats a vector. Engines have 15 registers for them on x86-64, 32 on Arm. V8 loads all
// that a turn of a loop needs at its beginning, so that accumulators, weights, inputs and a product share the 15; what
// it has to keep partly in memory is a third slower.
#include "../simd/wasm128.h"
#include "../matmul/tiling.h"

namespace {

template <>
constexpr Tiling tilingOf<Vec4> = [] {
  Tiling t{};
  t.singleBlockAccumulators = 9;
  t.singleBlockPanels = 9;
  t.blockAccumulators = 9;
  t.largeBlockAccumulators = 9;
  t.tileAccumulators = 8;
  t.mr = 4;
  t.mrOfOneVector = 4;
  t.loadsComeFirst = true;
  t.fusesQuadSteps = true;
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
