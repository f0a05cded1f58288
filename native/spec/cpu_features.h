// The features of processors that a table of kernels may need; platform/cpu.cpp reads them off the machine.
#pragma once
#include <cstdint>

namespace native_rnn {

enum CpuFeature : uint32_t {
  cpuAvx = 1,
  cpuAvx2 = 2,
  cpuFma = 4,
  cpuAvx512f = 8,
  cpuAvx512vl = 16,
  cpuAvx512dq = 32,
  cpuNeon = 64,
  cpuF16c = 128,
  cpuAvx512bw = 256,
  cpuAvxVnni = 512,
  cpuAvx512Vnni = 1024,
  cpuDotprod = 2048, // of 64-bit Arm: sdot
};

} // namespace native_rnn
