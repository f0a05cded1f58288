// The tables of VNNI's products with the instruction spelled out.
#include "plain_vnni.h"

constexpr DotKernels plainVnni8 = makeDotKernels<Plain8>("VNNI of 8 lanes, spelled out", 0);
constexpr DotKernels plainVnni16 = makeDotKernels<Plain16>("VNNI of 16 lanes, spelled out", 0);

const DotKernels* plainVnniOf(const Kernels& kernels) {
  return kernels.lanes == 8 ? &plainVnni8 : kernels.lanes == 16 ? &plainVnni16 : nullptr;
}
