// CPUID + XCR0, or the operating system's word on Arm → CpuFeature bits; and the size of the smallest cache.
#pragma once
#include <cstddef>
#include <cstdint>

namespace native_rnn {

// What both the CPU and the operating system support; read once.
uint32_t cpuFeatures();

// Of the first-level data cache; 32 KB, which nearly all have at least, where the CPU is not asked.
size_t firstLevelBytes();

} // namespace native_rnn
