// Sums of products of int8 by every table of them that this processor runs, and by the code for VNNI whose instruction
// is spelled out here: the integers of a plain loop. And that tables are chosen by what the processor says.
#include "kernels/dispatch.h"
#include "plain_vnni.h"
#include "platform/cpu.h"
#include "unit.h"
#include <fstream>
#include <random>
#include <string>
#include <vector>

using namespace native_rnn;

namespace {

std::mt19937 generator(20261129);
size_t between(size_t low, size_t high) { return low + generator() % (high - low + 1); }

// What a table has code for.
struct Sizes {
  size_t lanes, rowPanels[4], tileRows[4], leastRows[4];
  size_t (*tilePanels)(size_t G, size_t rows);
};
template <class V, int G, int R>
size_t tilePanels(size_t rows) {
  if constexpr (R > 1)
    if (rows < size_t(R))
      return tilePanels<V, G, R - 1>(rows);
  return size_t(nrPanels<V>(G, 1, R));
}
template <class V>
constexpr Sizes sizesOf() {
  Sizes s{};
  s.lanes = V::lanes;
  for (int G = 1; G <= 4; G++) {
    s.rowPanels[G - 1] = size_t(singleBlockPanels<V>(G, 1));
    s.tileRows[G - 1] = size_t(mr<V>(G, 1));
    s.leastRows[G - 1] = size_t(leastRows<V>(G, 1));
  }
  s.tilePanels = [](size_t G, size_t rows) {
    return G == 1   ? tilePanels<V, 1, mr<V>(1, 1)>(rows)
           : G == 2 ? tilePanels<V, 2, mr<V>(2, 1)>(rows)
           : G == 3 ? tilePanels<V, 3, mr<V>(3, 1)>(rows)
                    : tilePanels<V, 4, mr<V>(4, 1)>(rows);
  };
  return s;
}

// Numbers of a kernel's memory, at a cache line.
template <class T>
struct Lines {
  std::vector<T> all;
  T* at;
  explicit Lines(size_t count) : all(count + 64 / sizeof(T)) {
    at = reinterpret_cast<T*>((reinterpret_cast<uintptr_t>(all.data()) + 63) & ~uintptr_t(63));
  }
};
void fill(Lines<int8_t>& bytes, size_t count, bool largest) {
  for (size_t i = 0; i < count; i++)
    bytes.at[i] = largest ? (generator() % 2 ? 127 : -127) : int8_t(int(between(0, 254)) - 127);
}
int32_t plainDots(const int8_t* w, size_t stride, size_t column, const int8_t* q, size_t groups) {
  int32_t sum = 0;
  for (size_t k = 0; k < groups; k++)
    for (size_t i = 0; i < 4; i++)
      sum += int32_t(w[(k * stride + column) * 4 + i]) * q[4 * k + i];
  return sum;
}
int32_t sumBy(const DotKernels& dots, const int8_t* q, size_t groups) { return dots.sum ? dots.sum(q, 4 * groups) : 0; }

// One row: whole panels and half a panel behind them, all groups at once and in two pieces.
void checkRow(const DotKernels& dots, size_t lanes, size_t G, size_t panels, bool half, bool halfAlone) {
  const size_t K = between(1, 70), whole = halfAlone ? 0 : panels * G * lanes, tail = half ? G * lanes / 2 : 0;
  Lines<int8_t> w(4 * K * (whole + tail)), q(4 * K);
  const bool largest = generator() % 4 == 0;
  fill(w, 4 * K * (whole + tail), largest), fill(q, 4 * K, largest);
  Lines<float> out(whole + tail);
  PackedView view{};
  view.weights = w.at;
  view.K = K;
  const DotKernels::Row row = halfAlone ? dots.halfRow[G - 1] : dots.row[G - 1](panels, half);
  for (size_t cut : {size_t(0), between(0, K)}) {
    if (cut)
      row(view, 0, 0, cut, q.at, sumBy(dots, q.at, cut), false, out.at);
    row(view, 0, cut, K - cut, q.at + 4 * cut, sumBy(dots, q.at + 4 * cut, K - cut), cut > 0, out.at);
    const auto* const sums = reinterpret_cast<const int32_t*>(out.at);
    bool same = true;
    for (size_t c = 0; c < whole; c++)
      same = same && sums[c] == plainDots(w.at, whole, c, q.at, K);
    for (size_t c = 0; c < tail; c++)
      same = same && sums[whole + c] == plainDots(w.at + 4 * K * whole, tail, c, q.at, K);
    if (!same)
      std::printf("%s: G %zu, %zu panels, half %d, K %zu, cut %zu\n", dots.name, G, panels, half, K, cut);
    CHECK(same);
  }
}

void checkTile(const DotKernels& dots, size_t lanes, size_t G, size_t rows, size_t panels, bool half) {
  const size_t K = between(1, 40), columns = panels * G * lanes, stride = columns + lanes * between(0, 2);
  const size_t qStride = (4 * K + 63) / 64 * 64, outStride = columns + lanes * between(0, 1);
  Lines<int8_t> w(4 * K * stride), q(qStride * rows);
  const bool largest = generator() % 4 == 0;
  fill(w, 4 * K * stride, largest), fill(q, qStride * rows, largest);
  std::vector<int32_t> sums(rows);
  for (size_t r = 0; r < rows; r++)
    sums[r] = sumBy(dots, q.at + r * qStride, K);
  Lines<float> out(outStride * rows);
  (half ? dots.halfTile : dots.tile)[G - 1](rows, panels)(reinterpret_cast<const int32_t*>(w.at), stride, q.at, qStride,
                                                          sums.data(), K, out.at, outStride);
  bool same = true;
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++)
      same = same && reinterpret_cast<const int32_t*>(out.at)[r * outStride + c] ==
                         plainDots(w.at, stride, c, q.at + r * qStride, K);
  if (!same)
    std::printf("%s: a tile of G %zu, %zu rows, %zu panels, half %d, K %zu\n", dots.name, G, rows, panels, half, K);
  CHECK(same);
}

void checkTiles(const DotKernels& dots, const Sizes& sizes, size_t G, bool half) {
  for (size_t rows = sizes.leastRows[G - 1]; rows <= sizes.tileRows[G - 1]; rows++)
    for (size_t panels = 1; panels <= sizes.tilePanels(G, rows); panels++)
      for (int i = 0; i < 3; i++)
        checkTile(dots, sizes.lanes, G, rows, panels, half);
}

void check(const DotKernels& dots, const Sizes& sizes, const Sizes* halves) {
  std::printf("%s\n", dots.name);
  for (size_t G = 1; G <= 4; G++) {
    for (size_t panels = 1; panels <= sizes.rowPanels[G - 1]; panels++)
      for (int i = 0; i < 4; i++) {
        checkRow(dots, sizes.lanes, G, panels, false, false);
        if (halves)
          checkRow(dots, sizes.lanes, G, panels, true, false);
      }
    checkTiles(dots, sizes, G, false);
    if (halves) {
      checkRow(dots, sizes.lanes, G, 1, true, true);
      checkTiles(dots, *halves, G, true);
    }
  }
}

// The bits of x86 by its manual's places, and only where the system saves the registers.
void readsFeatures() {
  const struct {
    uint32_t CpuidWords::*word;
    int bit;
    uint32_t feature;
    bool wide;
  } bits[] = {
      {&CpuidWords::oneC, 28, cpuAvx, false},         {&CpuidWords::oneC, 12, cpuFma, false},
      {&CpuidWords::oneC, 29, cpuF16c, false},        {&CpuidWords::sevenB, 5, cpuAvx2, false},
      {&CpuidWords::sevenOneA, 4, cpuAvxVnni, false}, {&CpuidWords::sevenB, 16, cpuAvx512f, true},
      {&CpuidWords::sevenB, 31, cpuAvx512vl, true},   {&CpuidWords::sevenB, 17, cpuAvx512dq, true},
      {&CpuidWords::sevenB, 30, cpuAvx512bw, true},   {&CpuidWords::sevenC, 11, cpuAvx512Vnni, true},
  };
  for (const auto& of : bits) {
    CpuidWords words{};
    words.*of.word = uint32_t(1) << of.bit;
    CHECK(featuresOf(words) == 0);
    words.saved = 0x6;
    CHECK(featuresOf(words) == (of.wide ? 0 : of.feature));
    words.saved = 0xe6;
    CHECK(featuresOf(words) == of.feature);
    words.*of.word = ~(uint32_t(1) << of.bit);
    CHECK((featuresOf(words) & of.feature) == 0);
  }
}

// What Linux says of this processor, where it tells.
void agreesWithLinux() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const auto has = [&](const char* name) { return (line + ' ').find(std::string(" ") + name + ' ') != line.npos; };
    const auto is = [](uint32_t feature) { return (cpuFeatures() & feature) != 0; };
#if defined(__x86_64__)
    if (line.rfind("flags", 0) == 0) {
      CHECK(has("avx_vnni") == is(cpuAvxVnni) && has("avx512_vnni") == is(cpuAvx512Vnni));
      CHECK(has("avx2") == is(cpuAvx2) && has("f16c") == is(cpuF16c) && has("avx512bw") == is(cpuAvx512bw));
      return;
    }
#elif defined(__aarch64__)
    if (line.rfind("Features", 0) == 0) {
      CHECK(has("asimddp") == is(cpuDotprod));
      return;
    }
#endif
    (void)has, (void)is;
  }
}

} // namespace

int main() {
  readsFeatures();
  agreesWithLinux();
  const Sizes of8 = sizesOf<Plain8>(), of16 = sizesOf<Plain16>();
  check(plainVnni8, of8, nullptr);
  check(plainVnni16, of16, &of8);
  size_t count;
  const Kernels *const *const compiled = compiledTables(count), *const *const chosen = kernelTables(count);
  for (size_t i = 0; i < count; i++) {
    if (!runsHere(*compiled[i]))
      continue;
    // Of four lanes there are two tables: what both have.
    Sizes sizes = compiled[i]->lanes == 16 ? of16 : of8;
    if (compiled[i]->lanes == 4) {
      sizes.lanes = 4;
      for (size_t G = 1; G <= 4; G++)
        sizes.leastRows[G - 1] = sizes.tileRows[G - 1] = 2;
      sizes.tilePanels = [](size_t, size_t) { return size_t(1); };
    }
    const Sizes* const halves = compiled[i]->hasHalfPanels ? &of8 : nullptr;
    std::printf("%s: ", compiled[i]->name);
    check(*compiled[i]->dots, sizes, halves);
    const bool adds = chosen[i]->dots != compiled[i]->dots;
    if (adds) {
      std::printf("%s with ", compiled[i]->name);
      check(*chosen[i]->dots, sizes, halves);
      CHECK((chosen[i]->dots->needs & ~cpuFeatures()) == 0);
    }
    const std::string name = compiled[i]->name;
    CHECK(name != "neon" || adds == ((cpuFeatures() & cpuDotprod) != 0));
    CHECK(name != "avx512" || adds == ((cpuFeatures() & cpuAvx512Vnni) != 0));
    CHECK(name != "avx2" || !adds || (cpuFeatures() & cpuAvxVnni) != 0);
  }
  return unit::end();
}
