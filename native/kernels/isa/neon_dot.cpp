// NEON's products of int8 where the processor has the instruction for them, sdot.
#include "neon_tiling.h"

#include "../matmul/dots.h"
#include "../simd/sdot.h"

namespace native_rnn {
extern const DotKernels neonDotKernels;
const DotKernels neonDotKernels = makeDotKernels<WithDots<Vec4, SdotDots4>>("sdot", cpuDotprod);
} // namespace native_rnn
