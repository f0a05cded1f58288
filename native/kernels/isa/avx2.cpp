// AVX2 + FMA + F16C: 8 floats a vector, 16 registers.
#include "vec8_tiling.h"

#include "table.h"

namespace native_rnn {
extern const Kernels avx2Kernels;
const Kernels avx2Kernels = makeKernels<Vec8>("avx2", cpuAvx | cpuAvx2 | cpuFma | cpuF16c);
} // namespace native_rnn
