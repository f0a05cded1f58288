// AVX-512's products of int8 where the processor has VNNI: 512 bits, and 256 for half panels.
#include "vec16_tiling.h"

#include "../matmul/dots.h"
#include "../simd/avx512_vnni.h"

namespace {

using Half16 = WithDots<Vec8, VnniDots<Avx512Vnni8>>;

} // namespace

namespace native_rnn {
extern const DotKernels avx512VnniKernels;
const DotKernels avx512VnniKernels =
    makeDotKernels<WithDots<Vec16, VnniDots<Avx512Vnni16>, Half16>>("avx512vnni", cpuAvx512Vnni);
} // namespace native_rnn
