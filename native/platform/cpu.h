// CPUID + XCR0, or the operating system's word on Arm → CpuFeature bits; and the sizes of caches.
#pragma once
#include <cstddef>
#include <cstdint>

namespace native_rnn {

// What both the CPU and the operating system support; read once.
uint32_t cpuFeatures();

// Of x86: registers of CPUID by leaf, and what the operating system saves (XCR0; 0 where it cannot be asked).
struct CpuidWords {
  uint32_t oneC, sevenB, sevenC, sevenOneA;
  uint64_t saved;
};
uint32_t featuresOf(const CpuidWords&);

// Bytes of the data caches of the first, the second and the last level. 32 KB, 512 KB and 8 MB where the CPU is not
// asked or does not say.
struct Caches {
  size_t first, second, last;
};
const Caches& dataCaches(); // read once

} // namespace native_rnn
