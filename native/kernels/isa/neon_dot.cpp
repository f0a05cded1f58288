// NEON's products of int8 where the processor has the instruction for them, sdot.
#include "neon_tiling.h"

#include "../rnn/quad_steps.h"
#include "../simd/sdot.h"

namespace native_rnn {
extern const DotKernels neonDotKernels;
const DotKernels neonDotKernels =
    withRowSteps<WithDots<Vec4, SdotDots4>>(makeDotKernels<WithDots<Vec4, SdotDots4>>("sdot", cpuDotprod));
} // namespace native_rnn
