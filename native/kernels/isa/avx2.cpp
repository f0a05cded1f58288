// AVX2 + FMA: 8 floats a vector, 16 registers.
#include <immintrin.h>

#include "../matmul/tiling.h"

namespace {

#include "../simd/avx2.h"
using Vec = Vec8;

} // namespace

#include "../rnn/recurrence.h"

namespace native_rnn {
extern const Kernels avx2Kernels;
const Kernels avx2Kernels = makeKernels<Vec>("avx2", cpuAvx | cpuAvx2 | cpuFma);
} // namespace native_rnn
