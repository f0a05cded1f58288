// AVX-512 F, VL, DQ and BW, and F16C: 16 floats a vector, 32 registers.
#include "vec16_tiling.h"

#include "table.h"

namespace native_rnn {
extern const Kernels avx512Kernels;
const Kernels avx512Kernels = makeKernels<Vec16>("avx512", cpuAvx | cpuAvx2 | cpuFma | cpuF16c | cpuAvx512f |
                                                               cpuAvx512vl | cpuAvx512dq | cpuAvx512bw);
} // namespace native_rnn
