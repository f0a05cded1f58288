// CPUID + XCR0, or the operating system's word on Arm → CpuFeature bits.
#pragma once
#include <cstdint>

namespace native_rnn {

// What both the CPU and the operating system support; read once.
uint32_t cpuFeatures();

} // namespace native_rnn
