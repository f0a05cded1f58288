// The list of tables.
#include "dispatch.h"
#include "../platform/cpu.h"
#include "../spec/compiler.h"
#include <cstring>

namespace native_rnn {

#if defined(__x86_64__) || defined(_M_X64)
extern const Kernels avx512Kernels, avx2Kernels;
extern const DotKernels avx512VnniKernels, avx2VnniKernels;
#elif defined(__aarch64__) || defined(_M_ARM64)
extern const Kernels neonKernels;
extern const DotKernels neonDotKernels;
#elif defined(__wasm__)
extern const Kernels wasm128Kernels;
#endif
extern const Kernels portableKernels;

namespace {

// A table, and the products of int8 that take the place of its own where the processor has more than it needs.
struct CompiledTable {
  const Kernels* kernels;
  const DotKernels* dots;
};
constexpr CompiledTable compiled[] = {
#if defined(__x86_64__) || defined(_M_X64)
// Builds for tests leave out what they do not run.
#if !defined(RNN_WITHOUT_AVX512)
    {&avx512Kernels, &avx512VnniKernels},
#endif
#if defined(RNN_WITHOUT_AVX2)
#elif defined(RNN_HAS_AVX_VNNI)
    {&avx2Kernels, &avx2VnniKernels},
#else
    {&avx2Kernels, nullptr},
#endif
#elif defined(__aarch64__) || defined(_M_ARM64)
    {&neonKernels, &neonDotKernels},
#endif
#if defined(__wasm__)
    {&wasm128Kernels, nullptr},
#elif !defined(RNN_WITHOUT_PORTABLE)
    {&portableKernels, nullptr},
#endif
};
constexpr size_t tableCount = sizeof compiled / sizeof *compiled;

bool has(uint32_t needs) { return (needs & ~cpuFeatures()) == 0; }

// What is chosen within a table is chosen here, once.
struct Tables {
  const Kernels* asCompiled[tableCount];
  const Kernels* chosen[tableCount];
  Kernels merged[tableCount];
  Tables() {
    for (size_t i = 0; i < tableCount; i++) {
      const CompiledTable& table = compiled[i];
      asCompiled[i] = chosen[i] = table.kernels;
      if (!table.dots || !has(table.dots->needs))
        continue;
      merged[i] = *table.kernels;
      merged[i].dots = table.dots;
      chosen[i] = &merged[i];
    }
  }
};
const Tables& tables() {
  static const Tables tables;
  return tables;
}

} // namespace

const Kernels* const* kernelTables(size_t& count) {
  count = tableCount;
  return tables().chosen;
}

const Kernels* const* compiledTables(size_t& count) {
  count = tableCount;
  return tables().asCompiled;
}

bool runsHere(const Kernels& kernels) { return has(kernels.needs); }

const Kernels* kernelsByName(const char* name) {
  for (const Kernels* kernels : tables().chosen)
    if (std::strcmp(kernels->name, name) == 0)
      return kernels;
  return nullptr;
}

} // namespace native_rnn
