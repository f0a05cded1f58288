// NEON of 64-bit Arm: 4 floats a vector, 32 registers.
#include "neon_tiling.h"

#include "table.h"

namespace native_rnn {
extern const Kernels neonKernels;
const Kernels neonKernels = makeKernels<Vec4>("neon", cpuNeon);
} // namespace native_rnn
