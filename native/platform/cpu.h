// CPUID + XCR0, or the operating system's word on Arm → CpuFeature bits; and the sizes of caches.
#pragma once
#include <cstddef>
#include <cstdint>

namespace native_rnn {

// What both the CPU and the operating system support; read once.
uint32_t cpuFeatures();

// Bytes of the data caches of the first and of the last level. 32 KB and 8 MB where the CPU is not asked or does
// not say.
struct Caches {
  size_t first, last;
};
const Caches& dataCaches(); // read once

} // namespace native_rnn
