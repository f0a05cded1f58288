// The list of tables.
#include "dispatch.h"
#include "../platform/cpu.h"
#include <cstring>

namespace native_rnn {

#if defined(__x86_64__) || defined(_M_X64)
extern const Kernels avx512Kernels, avx2Kernels;
#elif defined(__aarch64__) || defined(_M_ARM64)
extern const Kernels neonKernels;
#elif defined(__wasm__)
extern const Kernels wasm128Kernels;
#endif
extern const Kernels portableKernels;

namespace {

const Kernels* const tables[] = {
#if defined(__x86_64__) || defined(_M_X64)
#if !defined(RNN_WITHOUT_AVX512) // builds for tests, on a processor that lacks it
    &avx512Kernels,
#endif
    &avx2Kernels,
#elif defined(__aarch64__) || defined(_M_ARM64)
    &neonKernels,
#endif
#if defined(__wasm__)
    &wasm128Kernels};
#else
    &portableKernels};
#endif

} // namespace

const Kernels* const* kernelTables(size_t& count) {
  count = sizeof tables / sizeof *tables;
  return tables;
}

bool runsHere(const Kernels& kernels) { return (kernels.needs & ~cpuFeatures()) == 0; }

const Kernels* kernelsByName(const char* name) {
  for (const Kernels* kernels : tables)
    if (std::strcmp(kernels->name, name) == 0)
      return kernels;
  return nullptr;
}

} // namespace native_rnn
