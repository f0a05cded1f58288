// The functions over plain arrays for four floats without intrinsics, compiled with fma where the processor has it:
// what the vectors of intrinsics are held against, bit by bit.
#include "kernels/simd/portable.h"

#include "kernels/ops/table.h"

extern const bool isPortableFused;
const bool isPortableFused = Vec4::fused;
extern const OpKernels fusedPortableOps;
const OpKernels fusedPortableOps = makeOpKernels<Vec4>();
