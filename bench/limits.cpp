// What one core of this machine can do at most: how fast it multiplies and adds on registers, floats and integers of
// 8 bits, how fast it does so on weights streamed from a buffer, and how soon a step can follow another. Compiled once
// per ISA, asked over stdin; knows nothing of recurrent layers.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>
#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

// Enough independent sums to hide the latency of a multiply-add on two pipes, and few enough to stay in registers.
#if defined(__AVX512F__)
constexpr int width = 64, sums = 16;
#elif defined(__AVX2__)
constexpr int width = 32, sums = 12;
#elif defined(__aarch64__)
constexpr int width = 16, sums = 16;
#else
constexpr int width = 16, sums = 12;
#endif
constexpr size_t lanes = width / sizeof(float), stride = lanes * sums;
typedef float Vector __attribute__((vector_size(width), may_alias));

static double nanoseconds() {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

#if defined(__aarch64__)
#define KEEP(value) asm volatile("" : "+w"(value))
#elif defined(__AVX512F__)
#define KEEP(value) asm volatile("" : "+v"(value))
#else
#define KEEP(value) asm volatile("" : "+x"(value))
#endif

static Vector spread(float value) { return Vector{} + value; }

// Floating point operations a nanosecond on registers alone.
static double peak() {
  Vector acc[sums], a = spread(0.5f), b = spread(0.25f);
  for (auto& sum : acc)
    sum = spread(1);
  const long rounds = 40000;
  double start = nanoseconds();
  for (long r = 0; r < rounds; r++) {
    KEEP(a);
#pragma GCC unroll 16
    for (int i = 0; i < sums; i++)
      acc[i] = a * b + acc[i];
#pragma GCC unroll 16
    for (int i = 0; i < sums; i++)
      KEEP(acc[i]);
  }
  return 2.0 * rounds * stride / (nanoseconds() - start);
}

// Sums of products of 8-bit integers in 32 bits, by the fewest operations that this instruction set has for them.
#if defined(__AVX512VNNI__)
typedef __m512i Bytes;
static Bytes dot(Bytes sum, Bytes a, Bytes b) { return _mm512_dpbusd_epi32(sum, a, b); }
#elif defined(__AVX512BW__)
typedef __m512i Bytes;
static Bytes dot(Bytes sum, Bytes a, Bytes b) {
  return _mm512_add_epi32(sum, _mm512_madd_epi16(_mm512_maddubs_epi16(a, b), _mm512_set1_epi16(1)));
}
#elif defined(__AVX2__)
typedef __m256i Bytes;
static Bytes dot(Bytes sum, Bytes a, Bytes b) {
  return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), _mm256_set1_epi16(1)));
}
#elif defined(__ARM_FEATURE_DOTPROD)
typedef int32x4_t Bytes;
static Bytes dot(Bytes sum, Bytes a, Bytes b) {
  return vdotq_s32(sum, vreinterpretq_s8_s32(a), vreinterpretq_s8_s32(b));
}
#elif defined(__aarch64__)
typedef int32x4_t Bytes;
static Bytes dot(Bytes sum, Bytes a, Bytes b) {
  const int8x16_t x = vreinterpretq_s8_s32(a), y = vreinterpretq_s8_s32(b);
  return vpadalq_s16(sum, vmlal_high_s8(vmull_s8(vget_low_s8(x), vget_low_s8(y)), x, y));
}
#endif

// Those operations a nanosecond on registers alone, two a product; infinite where plain C++ is all there is.
static double dots() {
#if defined(__AVX2__) || defined(__aarch64__)
  Bytes acc[sums] = {}, a = {}, b = {};
  const long rounds = 40000;
  double start = nanoseconds();
  for (long r = 0; r < rounds; r++) {
    // Kept before each, so that no product is taken for the one before.
#pragma GCC unroll 16
    for (int i = 0; i < sums; i++) {
      KEEP(a);
      KEEP(b);
      acc[i] = dot(acc[i], a, b);
    }
#pragma GCC unroll 16
    for (int i = 0; i < sums; i++)
      KEEP(acc[i]);
  }
  return 2.0 * rounds * sums * sizeof(Bytes) / (nanoseconds() - start);
#else
  return HUGE_VAL;
#endif
}

// Nanoseconds from one step's state to the next one's, whatever the size: a state is stored, one value of it read again
// and spread, multiplied once, and passed through activations of 10 dependent operations and a division each.
static double chain(int activations) {
  alignas(64) float state[lanes] = {};
  Vector w = spread(0.5f), b = spread(0.25f), one = spread(1);
  const long rounds = 20000;
  double start = nanoseconds();
  for (long r = 0; r < rounds; r++) {
    Vector v = spread(state[r % lanes]) * w + b;
    for (int a = 0; a < activations; a++) {
#pragma GCC unroll 10
      for (int i = 0; i < 10; i++) {
        v = v * w + b;
        KEEP(v);
      }
      v = one / v;
      KEEP(v);
    }
    *(Vector*)state = v;
    asm volatile("" ::: "memory");
  }
  return (nanoseconds() - start) / rounds;
}

// One walk over `groups` groups of weights, from the first or from the last.
static void walk(const float* weights, long groups, bool backwards, Vector a, Vector (&acc)[sums]) {
  const float* at = backwards ? weights + (groups - 1) * stride : weights;
  const long step = backwards ? -long(stride) : long(stride);
  for (long g = 0; g < groups; g++, at += step) {
#pragma GCC unroll 16
    for (int i = 0; i < sums; i++)
      acc[i] = *(const Vector*)(at + i * lanes) * a + acc[i];
  }
  for (auto& sum : acc)
    KEEP(sum);
}

// The same on weights from memory, walked over again and again: forwards only, or back and forth, whichever is faster.
static double stream(size_t bytes) {
  static float* weights = nullptr;
  static size_t room = 0;
  long groups = (bytes / sizeof(float) + stride - 1) / stride;
  if (size_t(groups) * stride > room) {
    free(weights);
    room = groups * stride;
    size_t whole = (room * sizeof(float) + (2 << 20) - 1) >> 21 << 21;
    weights = (float*)aligned_alloc(2 << 20, whole);
    madvise(weights, whole, MADV_HUGEPAGE);
    for (size_t i = 0; i < room; i++)
      weights[i] = 1e-3f;
  }
  Vector acc[sums], a = spread(0.5f);
  for (auto& sum : acc)
    sum = spread(1);
  long passes = 60000 / (groups * sums) * 2;
  if (passes < 2)
    passes = 2;
  double best = 0;
  for (int zigzag = 0; zigzag < 2; zigzag++) {
    walk(weights, groups, false, a, acc);
    double start = nanoseconds();
    for (long p = 0; p < passes; p++)
      walk(weights, groups, zigzag && p % 2 == 0, a, acc);
    double rate = 2.0 * passes * groups * stride / (nanoseconds() - start);
    if (rate > best)
      best = rate;
  }
  return best;
}

int main() {
  char line[128];
  while (fgets(line, sizeof line, stdin)) {
    if (!strncmp(line, "peak", 4))
      printf("%.6g\n", peak());
    else if (!strncmp(line, "dots", 4))
      printf("%.6g\n", dots());
    else if (!strncmp(line, "chain ", 6))
      printf("%.6g\n", chain(atoi(line + 6)));
    else if (!strncmp(line, "stream ", 7))
      printf("%.6g\n", stream(strtoull(line + 7, nullptr, 10)));
    else
      printf("error: unknown request\n");
    fflush(stdout);
  }
}
