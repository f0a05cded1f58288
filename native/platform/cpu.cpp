// Reads the CPU's features. On x86 a register set counts only where the operating system saves it (XCR0).
#include "cpu.h"
#include "../spec/cpu_features.h"

#if defined(__x86_64__) || defined(_M_X64)
#if defined(_MSC_VER)
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#endif

namespace native_rnn {
namespace {

#if defined(__x86_64__) || defined(_M_X64)

struct Registers {
  uint32_t a, b, c, d;
};

Registers cpuid(uint32_t leaf, uint32_t part = 0) {
#if defined(_MSC_VER)
  int r[4];
  __cpuidex(r, int(leaf), int(part));
  return {uint32_t(r[0]), uint32_t(r[1]), uint32_t(r[2]), uint32_t(r[3])};
#else
  Registers r{0, 0, 0, 0};
  __cpuid_count(leaf, part, r.a, r.b, r.c, r.d);
  return r;
#endif
}

// The data caches, as Intel (leaf 4) and AMD (0x8000001d) describe them, from the first level to the last.
Caches cachesOf(uint32_t leaf) {
  Caches caches{0, 0};
  if (cpuid(leaf & 0x80000000).a < leaf)
    return caches;
  for (uint32_t part = 0; part < 8; part++) {
    const Registers cache = cpuid(leaf, part);
    const uint32_t type = cache.a & 31, level = (cache.a >> 5) & 7;
    if (type == 0)
      break;
    if (type == 2) // of instructions
      continue;
    const size_t ways = (cache.b >> 22) + 1, partitions = ((cache.b >> 12) & 1023) + 1, line = (cache.b & 4095) + 1;
    caches.last = ways * partitions * line * (size_t(cache.c) + 1);
    if (level == 1)
      caches.first = caches.last;
  }
  return caches;
}

Caches readCaches() {
  const Caches caches = cachesOf(4);
  return caches.first ? caches : cachesOf(0x8000001d);
}

uint64_t xcr0() {
#if defined(_MSC_VER)
  return _xgetbv(0);
#else
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t(high) << 32) | low;
#endif
}

uint32_t read() {
  const auto bit = [](uint32_t word, int i, uint32_t feature) { return (word >> i) & 1 ? feature : 0u; };
  if (cpuid(0).a < 7)
    return 0;
  const Registers one = cpuid(1), seven = cpuid(7);
  if (!((one.c >> 27) & 1))
    return 0; // no XGETBV
  const uint64_t saved = xcr0();
  uint32_t features = 0;
  if ((saved & 0x6) == 0x6) // SSE and AVX state
    features |= bit(one.c, 28, cpuAvx) | bit(one.c, 12, cpuFma) | bit(one.c, 29, cpuF16c) | bit(seven.b, 5, cpuAvx2);
  if ((saved & 0xe6) == 0xe6) // and masks and the upper registers
    features |= bit(seven.b, 16, cpuAvx512f) | bit(seven.b, 31, cpuAvx512vl) | bit(seven.b, 17, cpuAvx512dq) |
                bit(seven.b, 30, cpuAvx512bw);
  return features;
}

#elif defined(__aarch64__) || defined(_M_ARM64)

uint32_t read() { return cpuNeon; } // part of every 64-bit Arm
Caches readCaches() { return {0, 0}; }

#else

uint32_t read() { return 0; }
Caches readCaches() { return {0, 0}; }

#endif

} // namespace

uint32_t cpuFeatures() {
  static const uint32_t features = read();
  return features;
}

const Caches& dataCaches() {
  // What most have at least, where the CPU is not asked or does not say.
  static const Caches caches = [] {
    const Caches read = readCaches();
    return Caches{read.first ? read.first : size_t(32) << 10, read.last ? read.last : size_t(8) << 20};
  }();
  return caches;
}

} // namespace native_rnn
