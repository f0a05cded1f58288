// AVX-512's products of int8 where the processor has VNNI: 512 bits, and 256 for half panels.
#include "vec16_tiling.h"

#include "../rnn/quad_steps.h"
#include "../simd/avx512_vnni.h"

namespace {

using Half16 = WithDots<Vec8, VnniDots<Avx512Vnni8>>;
using Wide16 = WithDots<Vec16, VnniDots<Avx512Vnni16>, Half16>;

} // namespace

namespace native_rnn {
extern const DotKernels avx512VnniKernels;
const DotKernels avx512VnniKernels = withRowSteps<Wide16>(makeDotKernels<Wide16>("avx512vnni", cpuAvx512Vnni));
} // namespace native_rnn
