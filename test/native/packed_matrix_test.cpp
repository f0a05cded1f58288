// Packed matrices on every table that this processor runs: pack → unpack gives the weights back, the padding is zero,
// and a product over the packed matrix is the product over the plain one.
#include "kernels/dispatch.h"
#include "matmul/packed_matrix.h"
#include "unit.h"
#include <cmath>
#include <vector>

using namespace native_rnn;

// Numbers that float32 adds without rounding, so that products are exact in any order.
static std::vector<float> wholeNumbers(size_t count, int seed) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; i++)
    values[i] = float(int((i * 7919 + size_t(seed) * 104729) % 17) - 8);
  return values;
}

struct Memory {
  std::vector<float> floats;
  float* aligned;
  explicit Memory(size_t bytes) : floats(bytes / sizeof(float) + 16, NAN) {
    aligned = reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(floats.data()) + 63) & ~uintptr_t(63));
  }
};

static void comesBack(const PackedMatrix& matrix, const std::vector<float>& weights, const std::vector<float>& bias,
                      const void* memory) {
  std::vector<float> plain(weights.size(), NAN), plainBias(bias.size(), NAN);
  matrix.unpack(plain.data(), plainBias.data(), 0, memory);
  CHECK(plain == weights);
  CHECK(plainBias == bias);
}

static void multiplies(const Kernels& kernels, const PackedMatrix& matrix, const std::vector<float>& weights,
                       const std::vector<float>& bias, const void* memory, size_t rows) {
  const size_t N = matrix.outputs(), G = matrix.gates(), K = matrix.inputs(), lanes = kernels.lanes;
  const std::vector<float> a = wholeNumbers(rows * K, 3);
  Memory y(rows * matrix.packedRow() * sizeof(float));
  kernels.gemm[0][G - 1]({matrix.view(memory), a.data(), ptrdiff_t(K), y.aligned, matrix.packedRow(), rows});
  for (size_t r = 0; r < rows; r++)
    for (size_t g = 0; g < G; g++)
      for (size_t n = 0; n < N; n++) {
        float sum = bias[g * N + n];
        for (size_t k = 0; k < K; k++)
          sum += weights[(g * N + n) * K + k] * a[r * K + k];
        // A panel of whole lanes, or the half one at the end.
        const bool half = kernels.hasHalfPanels && n / lanes * lanes + lanes / 2 >= N && n / lanes == N / lanes;
        const size_t at = rowOffset(n / lanes, G, lanes) + g * (half ? lanes / 2 : lanes) + n % lanes;
        CHECK(y.aligned[r * matrix.packedRow() + at] == sum);
      }
}

static void check(const Kernels& kernels, size_t N, size_t G, size_t K) {
  PackedArena arena;
  arena.reserve(100); // it does not begin at 0
  const PackedMatrix matrix(N, G, K, kSplitsLog2For(G, N), WeightType::f32, kernels, arena);
  CHECK(arena.bytes() % 64 == 0);
  CHECK(arena.bytes() >= matrix.weightBytes() + matrix.packedRow() * sizeof(float));
  Memory memory(arena.bytes());
  const std::vector<float> weights = wholeNumbers(G * N * K, 1), bias = wholeNumbers(G * N, 2);
  matrix.pack(weights.data(), bias.data(), 0, memory.aligned);
  comesBack(matrix, weights, bias, memory.aligned);
  // Padding that was not zero would be NaN here, and reach a padded lane's sum, which the kernels compute too.
  const PackedView view = matrix.view(memory.aligned);
  for (size_t i = 0; i < matrix.packedRow(); i++)
    CHECK(view.bias[i] == view.bias[i]);
  for (size_t i = 0; i < matrix.weightCount(); i++)
    CHECK(static_cast<const float*>(view.weights)[i] == static_cast<const float*>(view.weights)[i]);
  for (size_t rows : {1, 2, 5, 33})
    multiplies(kernels, matrix, weights, bias, memory.aligned, rows);
}

// Some gates of a matrix that has more: the candidate's of a GRU.
static void packsSomeGates(const Kernels& kernels) {
  const size_t N = 19, K = 5;
  PackedArena arena;
  const PackedMatrix two(N, 2, K, 0, WeightType::f32, kernels, arena),
      last(N, 1, K, 0, WeightType::f32, kernels, arena);
  Memory memory(arena.bytes());
  const std::vector<float> weights = wholeNumbers(3 * N * K, 4), bias = wholeNumbers(3 * N, 5);
  two.pack(weights.data(), bias.data(), 0, memory.aligned);
  last.pack(weights.data(), bias.data(), 2, memory.aligned);
  std::vector<float> plain(weights.size(), NAN), plainBias(bias.size(), NAN);
  two.unpack(plain.data(), plainBias.data(), 0, memory.aligned);
  last.unpack(plain.data(), plainBias.data(), 2, memory.aligned);
  CHECK(plain == weights);
  CHECK(plainBias == bias);
}

int main() {
  size_t count;
  const Kernels* const* const tables = kernelTables(count);
  for (size_t i = 0; i < count; i++) {
    if (!runsHere(*tables[i]))
      continue;
    for (size_t G = 1; G <= 4; G++)
      for (size_t N : {1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 40, 64, 67, 129})
        for (size_t K : {1, 2, 3, 8, 31})
          check(*tables[i], N, G, K);
    packsSomeGates(*tables[i]);
  }
  return unit::end();
}
