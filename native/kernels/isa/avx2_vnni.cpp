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

#include "../matmul/dots.h"
#include "../simd/avx_vnni.h"

namespace native_rnn {
extern const DotKernels avx2VnniKernels;
const DotKernels avx2VnniKernels = makeDotKernels<WithDots<Vec8, VnniDots<AvxVnni8>>>("avxvnni", cpuAvxVnni);
} // namespace native_rnn

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
