// Weights in narrower types on every table that this processor runs: how they are rounded, that the kernels read every
// one of them as what it stands for, and that products have the bits that their definitions give.
#include "kernels/dispatch.h"
#include "matmul/packed_matrix.h"
#include "matmul/weight_rounding.h"
#include "plain_vnni.h"
#include "unit.h"
#include <algorithm>
#include <random>
#include <vector>

using namespace native_rnn;
using Floats = std::vector<float>;

static std::mt19937 generator(20261128);
static Floats randoms(size_t count, float scale) {
  std::uniform_real_distribution<float> uniform(-scale, scale);
  Floats values(count);
  for (float& x : values)
    x = uniform(generator);
  return values;
}
static bool sameBits(float a, float b) { return bitsOf(a) == bitsOf(b) || (a != a && b != b); }

struct Memory {
  Floats floats;
  float* aligned;
  explicit Memory(size_t bytes) : floats(bytes / sizeof(float) + 16, NAN) {
    aligned = reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(floats.data()) + 63) & ~uintptr_t(63));
  }
};

// Whether `kept` is as near to x as its neighbours, and even where two are.
template <class Widen>
static bool isNearest(float x, uint16_t kept, const Widen& widen) {
  const double off = std::fabs(double(widen(kept)) - x);
  for (int step : {-1, 1}) {
    const auto other = uint16_t(kept + step);
    const double otherOff = std::fabs(double(widen(other)) - x);
    if ((other & 0x8000) == (kept & 0x8000) && (otherOff < off || (otherOff == off && kept % 2 != 0)))
      return false;
  }
  return true;
}

static void roundsToNearest() {
  for (uint32_t i = 0; i < 65536; i++) {
    const auto bits = uint16_t(i);
    const float half = floatOfHalf(bits), bfloat = floatOfBfloat(bits);
    CHECK(half != half || halfOf(half) == bits);
    CHECK(bfloat != bfloat || bfloatOf(bfloat) == bits);
    const float next = floatOfHalf(uint16_t(bits + 1)); // halfway between two
    if ((bits & 0x7fff) < 0x7bff)
      CHECK(halfOf((half + next) / 2) == uint16_t(bits + bits % 2));
  }
  CHECK(floatOfHalf(1) == 5.9604644775390625e-8f && floatOfHalf(0x7bff) == 65504.0f && floatOfHalf(0x8000) == 0.0f);
  CHECK(std::signbit(floatOfHalf(0x8000)) && halfOf(-0.0f) == 0x8000);
  CHECK(halfOf(65519.99f) == 0x7bff && halfOf(65520.0f) == 0x7c00);
  for (float scale : {1e-8f, 1e-6f, 1e-4f, 1.0f, 60000.0f})
    for (float x : randoms(2000, scale)) {
      CHECK(isNearest(x, halfOf(x), floatOfHalf));
      CHECK(isNearest(x, bfloatOf(x), floatOfBfloat));
    }
}

static void roundsToInt8() {
  const float row[] = {0.5f, -1.27f, 0.005f, 0.015f, 0, 1.27f};
  const float scale = int8Scale(row, 6);
  CHECK(scale == 1.27f / 127.0f);
  CHECK(int8Of(row[1], scale) == -127 && int8Of(row[5], scale) == 127 && int8Of(0, scale) == 0);
  CHECK(int8Of(2.5f, 1) == 2 && int8Of(3.5f, 1) == 4 && int8Of(-2.5f, 1) == -2 && int8Of(-0.5f, 1) == 0);
  // Scales that are no normal numbers, or none.
  for (float tiny : {1e-45f, 7e-44f, 1e-42f, 3e-40f}) {
    const float own = int8Scale(&tiny, 1);
    CHECK(own >= 0 && int8Of(tiny, own) >= 0);
    CHECK(own > 0 || int8Of(tiny, own) == 0);
  }
  CHECK(int8Of(1, 0) == 0);
}

static PackedMatrix matrixOf(size_t N, size_t G, size_t K, WeightType type, const Kernels& kernels,
                             PackedArena& arena) {
  return PackedMatrix(N, G, K, kSplitsLog2For(G, N, type), type, kernels, arena);
}
static size_t placeOf(const Kernels& kernels, size_t N, size_t G, size_t g, size_t n) {
  const size_t lanes = kernels.lanes;
  const bool half = kernels.hasHalfPanels && n / lanes * lanes + lanes / 2 >= N && n / lanes == N / lanes;
  return rowOffset(n / lanes, G, lanes) + g * (half ? lanes / 2 : lanes) + n % lanes;
}
static float multiplyAdd(const Kernels& kernels, float a, float b, float c) {
  if (kernels.fused)
    return std::fma(a, b, c);
  const volatile float product = a * b;
  return product + c;
}

static void readsAll(const Kernels& kernels, WeightType type, size_t K, const Floats& weights) {
  const size_t N = weights.size() / K;
  PackedArena arena;
  const PackedMatrix matrix = matrixOf(N, 1, K, type, kernels, arena);
  Memory memory(arena.bytes());
  matrix.pack(weights.data(), nullptr, 0, memory.aligned);
  Floats back(weights.size(), NAN);
  matrix.unpack(back.data(), nullptr, 0, memory.aligned);
  for (size_t rows : {1, 5}) {
    Floats a(rows * K, 0.0f);
    for (size_t r = 0; r < rows; r++)
      a[r * K + K - 1] = 1;
    Memory y(rows * matrix.packedRow() * sizeof(float));
    kernels.gemm[size_t(type)][0](
        {matrix.view(memory.aligned), a.data(), ptrdiff_t(K), y.aligned, matrix.packedRow(), rows});
    for (size_t n = 0; n < N; n++) {
      CHECK(sameBits(back[n], weights[n]));
      CHECK(y.aligned[(rows - 1) * matrix.packedRow() + n] == weights[n * K + K - 1]);
    }
  }
}

// Every finite number that the 16 bits can be, as one weight.
static void readsEvery(const Kernels& kernels, WeightType type) {
  Floats weights;
  for (uint32_t i = 0; i < 65536; i++) {
    const float x = type == WeightType::f16 ? floatOfHalf(uint16_t(i)) : floatOfBfloat(uint16_t(i));
    if (std::isfinite(x))
      weights.push_back(x);
  }
  weights.resize(weights.size() & ~size_t(1));
  // As one weight of each output, and as the second of two.
  for (size_t K : {1, 2})
    readsAll(kernels, type, K, weights);
}

// What a product in int8 of both is by definition, the sum in as many bits as it needs.
static float exactProduct(const Kernels& kernels, const int8_t* q, float weightScale, float bias, const float* a,
                          size_t K) {
  float most = 0;
  bool finite = true;
  for (size_t k = 0; k < K; k++)
    finite = finite && std::isfinite(a[k]), most = std::fmax(most, std::fabs(a[k]));
  if (!finite)
    return NAN;
  const float scale = most / 127.0f;
  int64_t sum = 0;
  for (size_t k = 0; k < K && scale > 0; k++)
    sum += int64_t(q[k]) * int64_t(std::max(-127.0f, std::min(127.0f, std::nearbyint(a[k] / scale))));
  return multiplyAdd(kernels, weightScale * scale, float(sum), bias);
}

// `a` of any values for int8 of both; else whole numbers, whose sums are exact in any order.
static void multiplies(const Kernels& kernels, WeightType type, size_t N, size_t G, size_t K, size_t rows) {
  const bool isExact = type == WeightType::int8Quads;
  PackedArena arena;
  const PackedMatrix matrix = matrixOf(N, G, K, type, kernels, arena);
  Memory memory(arena.bytes());
  Floats weights = randoms(G * N * K, 1), bias = randoms(G * N, 1), a = randoms(rows * K, 2);
  if (type == WeightType::f16 || type == WeightType::bf16)
    for (float& w : weights)
      w = std::nearbyint(w * 8);
  if (!isExact)
    for (float& x : a)
      x = std::nearbyint(x * 4);
  if (type == WeightType::f16 || type == WeightType::bf16)
    for (float& b : bias)
      b = std::nearbyint(b * 8);
  if (K > 3)
    std::fill_n(weights.begin() + ptrdiff_t((N - 1) * K), K, 0.0f); // a row of zeros
  if (K > 100000)                                                   // the largest sums
    std::fill_n(weights.begin(), K, -0.75f), std::fill_n(a.begin(), K, 2.5f);
  if (isExact && rows > 3) {
    std::fill_n(a.begin(), K, 0.0f);
    a[K + K / 2] = NAN, a[2 * K] = -INFINITY;
  }
  matrix.pack(weights.data(), bias.data(), 0, memory.aligned);
  Floats kept(weights.size(), NAN), keptBias(bias.size(), NAN);
  matrix.unpack(kept.data(), keptBias.data(), 0, memory.aligned);
  CHECK(keptBias == bias);
  Memory y(rows * matrix.packedRow() * sizeof(float));
  kernels.gemm[size_t(type)][G - 1](
      {matrix.view(memory.aligned), a.data(), ptrdiff_t(K), y.aligned, matrix.packedRow(), rows});
  std::vector<int8_t> q(K);
  for (size_t row = 0; row < G * N; row++) {
    const float* const own = &weights[row * K];
    const float scale = int8Scale(own, K);
    for (size_t k = 0; k < K; k++)
      q[k] = int8Of(own[k], scale);
    for (size_t r = 0; r < rows; r++) {
      const float got = y.aligned[r * matrix.packedRow() + placeOf(kernels, N, G, row / N, row % N)];
      double sum = 0;
      if (type == WeightType::int8Quads) {
        CHECK(sameBits(got, exactProduct(kernels, q.data(), scale, bias[row], &a[r * K], K)));
      } else if (weightTypeTraits(type).hasScales) {
        for (size_t k = 0; k < K; k++)
          sum += double(q[k]) * a[r * K + k];
        CHECK(got == multiplyAdd(kernels, scale, float(sum), bias[row]));
      } else {
        for (size_t k = 0; k < K; k++)
          sum += double(own[k]) * a[r * K + k];
        CHECK(got == float(sum + bias[row]));
      }
    }
    for (size_t k = 0; k < K; k++) {
      const bool inInt8 = weightTypeTraits(type).hasScales;
      CHECK(kept[row * K + k] == (inInt8 ? float(q[k]) * scale : own[k]));
    }
  }
}

static void multipliesAny(const Kernels& kernels, WeightType type) {
  for (size_t G = 1; G <= 4; G++)
    for (size_t N : {1, 7, 8, 16, 17, 40, 67})
      for (size_t K : {1, 2, 3, 31, 130})
        for (size_t rows : {1, 2, 3, 33})
          multiplies(kernels, type, N, G, K, rows);
  // Long rows: past what is widened or brought to int8 at once, for several rows and for one.
  for (size_t K : {1040, 2500, 16384, 16385, 40000})
    for (size_t rows : {1, 5, 33})
      multiplies(kernels, type, 9, 1, K, rows);
}

// Inputs in the middle between two whole numbers, and the floats beside them, of rows of every size: each output shows
// what one input became.
static void roundsInputsToInt8(const Kernels& kernels, size_t K, size_t first) {
  PackedArena arena;
  const PackedMatrix matrix = matrixOf(K, 1, K, WeightType::int8Quads, kernels, arena);
  Memory memory(arena.bytes()), y(matrix.packedRow() * sizeof(float));
  Floats weights(K * K, 0.0f);
  for (size_t k = 0; k < K; k++)
    weights[k * K + k] = 1;
  matrix.pack(weights.data(), nullptr, 0, memory.aligned);
  std::vector<int8_t> q(K, 0);
  const float smallestNormal = 1.17549435e-38f;
  for (float size : {1.0f, 127.0f, 1.27f, 0.3f, 1e-20f, 3.4028235e38f, 127 * smallestNormal, 126.9f * smallestNormal,
                     1e-40f, 3e-43f, 1e-45f, randoms(1, 5)[0] + 6})
    for (int ulps = -2; ulps <= 2; ulps++) {
      Floats a(K);
      for (size_t k = 0; k < K; k++) {
        const double middle = (double(int((first + k) % 254) - 127) + 0.5) * double(size / 127.0f);
        a[k] = float(middle);
        for (int i = 0; i < std::abs(ulps); i++)
          a[k] = std::nextafter(a[k], ulps < 0 ? -INFINITY : INFINITY);
        a[k] = std::max(-size, std::min(size, a[k]));
      }
      a[K / 2] = size;
      kernels.gemm[size_t(WeightType::int8Quads)][0](
          {matrix.view(memory.aligned), a.data(), ptrdiff_t(K), y.aligned, matrix.packedRow(), 1});
      for (size_t k = 0; k < K; k++) {
        q[k] = 127;
        CHECK(sameBits(y.aligned[placeOf(kernels, K, 1, 0, k)],
                       exactProduct(kernels, q.data(), 1.0f / 127.0f, 0, a.data(), K)));
        q[k] = 0;
      }
    }
}

// Scales that are given are those that are kept, with the integers that they make of the weights.
static void keepsScales(const Kernels& kernels, WeightType type) {
  const size_t N = 19, G = 3, K = 7;
  Floats scales, weights;
  for (size_t row = 0; row < N * G; row++) {
    scales.push_back(0.011f + 0.0007f * float(row)); // none is what the row's largest weight asks for
    for (size_t k = 0; k < K; k++)
      weights.push_back(scales[row] * float(int((row * 31 + k * 17) % 181) - 90));
  }
  PackedArena arena;
  const PackedMatrix two = matrixOf(N, 2, K, type, kernels, arena), last = matrixOf(N, 1, K, type, kernels, arena);
  Memory memory(arena.bytes());
  Floats back(weights.size(), NAN), backScales(scales.size(), NAN);
  two.pack(weights.data(), nullptr, 0, memory.aligned, scales.data());
  last.pack(weights.data(), nullptr, 2, memory.aligned, scales.data());
  two.unpack(back.data(), nullptr, 0, memory.aligned, backScales.data());
  last.unpack(back.data(), nullptr, 2, memory.aligned, backScales.data());
  for (size_t i = 0; i < weights.size(); i++)
    CHECK(sameBits(back[i], weights[i]));
  for (size_t row = 0; row < N * G; row++)
    CHECK(sameBits(backScales[row], scales[row]));
}

int main() {
  roundsToNearest();
  roundsToInt8();
  size_t count;
  const Kernels* const* const tables = kernelTables(count);
  for (size_t i = 0; i < count; i++) {
    const Kernels& kernels = *tables[i];
    if (!runsHere(kernels))
      continue;
    readsEvery(kernels, WeightType::f16);
    readsEvery(kernels, WeightType::bf16);
    keepsScales(kernels, WeightType::int8);
    keepsScales(kernels, WeightType::int8Quads);
    roundsInputsToInt8(kernels, 300, 0);
    // Rows that fit a vector, or just do not.
    for (size_t K : {1, 3, 4, 5, 8, 9, 16, 17})
      for (size_t first = 0; first < 254; first += std::max<size_t>(K, 4))
        roundsInputsToInt8(kernels, K, first);
    for (WeightType type : {WeightType::f16, WeightType::bf16, WeightType::int8, WeightType::int8Quads})
      multipliesAny(kernels, type);
    if (const DotKernels* dots = plainVnniOf(kernels)) {
      Kernels withVnni = kernels;
      withVnni.dots = dots;
      multipliesAny(withVnni, WeightType::int8Quads);
    }
    // Sums that pass 32 bits, or could.
    for (size_t K : {131072, 131073, 300001})
      for (size_t N : {1, 19})
        multiplies(kernels, WeightType::int8Quads, N, 1, K, 2);
  }
  return unit::end();
}
