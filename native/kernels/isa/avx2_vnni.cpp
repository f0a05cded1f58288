// AVX2's products of int8 where the processor has AVX-VNNI. Compilers that are too old for it leave the object empty.
#include "../../spec/compiler.h"

#if defined(RNN_HAS_AVX_VNNI)
// Not by a flag, which an older compiler would refuse.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avxvnni"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC target("avxvnni")
#endif

#include "vec8_tiling.h"

#include "../rnn/quad_steps.h"
#include "../simd/avx_vnni.h"

namespace {

using Wide8 = WithDots<Vec8, VnniDots<AvxVnni8>>;

} // namespace

namespace native_rnn {
extern const DotKernels avx2VnniKernels;
const DotKernels avx2VnniKernels = withRowSteps<Wide8>(makeDotKernels<Wide8>("avxvnni", cpuAvxVnni));
} // namespace native_rnn

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
