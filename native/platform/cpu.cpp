// Reads the CPU's features. On x86 a register set counts only where the operating system saves it (XCR0).
#include "cpu.h"
#include "../spec/cpu_features.h"

#if defined(__x86_64__) || defined(_M_X64)
#if defined(_MSC_VER)
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#elif defined(__aarch64__) || defined(_M_ARM64)
#if defined(_WIN32)
#include <windows.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#elif defined(__linux__)
#include <sys/auxv.h>
// What libgcc asks once for atomics; musl exports it by its plain name only.
extern "C" __attribute__((weak, visibility("hidden"))) unsigned long __getauxval(unsigned long type) {
  return getauxval(type);
}
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
  Caches caches{0, 0, 0};
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
    if (level == 2)
      caches.second = caches.last;
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
  CpuidWords words{};
  if (cpuid(0).a < 7)
    return 0;
  const Registers one = cpuid(1), seven = cpuid(7);
  words.oneC = one.c, words.sevenB = seven.b, words.sevenC = seven.c;
  if (seven.a >= 1)
    words.sevenOneA = cpuid(7, 1).a;
  if ((one.c >> 27) & 1) // XGETBV is there
    words.saved = xcr0();
  return featuresOf(words);
}

#elif defined(__aarch64__) || defined(_M_ARM64)

bool hasDotprod() {
#if defined(_WIN32)
  return IsProcessorFeaturePresent(43); // PF_ARM_V82_DP_INSTRUCTIONS_AVAILABLE
#elif defined(__APPLE__)
  int has = 0;
  size_t size = sizeof has;
  return sysctlbyname("hw.optional.arm.FEAT_DotProd", &has, &size, nullptr, 0) == 0 && has != 0;
#elif defined(__linux__)
  return (getauxval(AT_HWCAP) >> 20) & 1; // HWCAP_ASIMDDP
#else
  return false;
#endif
}

uint32_t read() { return cpuNeon | (hasDotprod() ? cpuDotprod : 0u); } // NEON is part of every 64-bit Arm
Caches readCaches() { return {0, 0, 0}; }

#else

uint32_t read() { return 0; }
Caches readCaches() { return {0, 0, 0}; }

#endif

} // namespace

uint32_t featuresOf(const CpuidWords& words) {
  const auto bit = [](uint32_t word, int i, uint32_t feature) { return (word >> i) & 1 ? feature : 0u; };
  uint32_t features = 0;
  if ((words.saved & 0x6) == 0x6) // SSE and AVX state
    features |= bit(words.oneC, 28, cpuAvx) | bit(words.oneC, 12, cpuFma) | bit(words.oneC, 29, cpuF16c) |
                bit(words.sevenB, 5, cpuAvx2) | bit(words.sevenOneA, 4, cpuAvxVnni);
  if ((words.saved & 0xe6) == 0xe6) // and masks and the upper registers
    features |= bit(words.sevenB, 16, cpuAvx512f) | bit(words.sevenB, 31, cpuAvx512vl) |
                bit(words.sevenB, 17, cpuAvx512dq) | bit(words.sevenB, 30, cpuAvx512bw) |
                bit(words.sevenC, 11, cpuAvx512Vnni);
  return features;
}

uint32_t cpuFeatures() {
  static const uint32_t features = read();
  return features;
}

const Caches& dataCaches() {
  // What most have at least, where the CPU is not asked or does not say.
  static const Caches caches = [] {
    const Caches read = readCaches();
    return Caches{read.first ? read.first : size_t(32) << 10, read.second ? read.second : size_t(512) << 10,
                  read.last ? read.last : size_t(8) << 20};
  }();
  return caches;
}

} // namespace native_rnn
