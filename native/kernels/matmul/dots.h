// Exact sums of products of int8: one row times a block, tiles of several rows, and the table of both. Four inputs of
// an output lie together, as do those of a row. Internal to each object that has such a table.
#pragma once
#include "../simd/vnni.h"
#include "gemv.h"

namespace {

template <class Dots>
RNN_INLINE Dots startDots(int32_t sum) {
  if constexpr (takesSums<Dots>)
    return Dots::start(sum);
  else
    return Dots::zero();
}
template <class Dots>
RNN_INLINE Dots loadDots(const float* p, int32_t sum) {
  if constexpr (takesSums<Dots>)
    return Dots::load(p).plus(Dots::start(sum));
  else
    return Dots::load(p);
}

// A vector with other sums of products, for tables of nothing else. `Narrow`: what its half panels are.
template <class V, class DotsOfIt, class Narrow = V>
struct WithDots : V {
  using Dots = DotsOfIt;
  using Half = Narrow;
};
template <class V, class D, class N>
constexpr Tiling tilingOf<WithDots<V, D, N>> = tilingOf<V>;
// The vector itself.
template <class V>
struct PlainOf {
  using Vec = V;
};
template <class V, class D, class N>
struct PlainOf<WithDots<V, D, N>> {
  using Vec = V;
};

// One row times N vectors of columns that lie together, and M half ones that lie behind all their groups of inputs:
// groups [first, first + count) of K. `adds`: to the sums that are there.
template <class V, int N, int M>
RNN_INLINE void gemvDots(const int32_t* w, size_t K, size_t first, size_t count, const int8_t* q, int32_t sum,
                         bool adds, float* out) {
  using Dots = typename V::Dots;
  using HalfDots = typename Half<V>::Dots;
  constexpr int L = V::lanes, whole = N * L, HL = Half<V>::lanes, tail = M * HL;
  const int32_t* h = w + whole * K + first * tail;
  w += first * whole;
  Dots sums[N > 0 ? N : 1];
  HalfDots halves[M > 0 ? M : 1];
#pragma GCC unroll 64
  for (int n = 0; n < N; n++)
    sums[n] = adds ? loadDots<Dots>(out + n * L, sum) : startDots<Dots>(sum);
#pragma GCC unroll 64
  for (int m = 0; m < M; m++)
    halves[m] = adds ? loadDots<HalfDots>(out + whole + m * HL, sum) : startDots<HalfDots>(sum);
  for (size_t k = 0; k < count; k++, q += 4, w += whole, h += tail) {
    const typename Dots::Inputs a = Dots::broadcast(q);
#pragma GCC unroll 64
    for (int n = 0; n < N; n++)
      sums[n] = sums[n].plus(w + n * L, a);
    if constexpr (M > 0) {
      const typename HalfDots::Inputs b = HalfDots::broadcast(q);
#pragma GCC unroll 64
      for (int m = 0; m < M; m++)
        halves[m] = halves[m].plus(h + m * HL, b);
    }
  }
#pragma GCC unroll 64
  for (int n = 0; n < N; n++)
    sums[n].store(out + n * L);
#pragma GCC unroll 64
  for (int m = 0; m < M; m++)
    halves[m].store(out + whole + m * HL);
}

// The same for the panels of a block (a family for by_panels.h).
template <class V, int G>
struct DotPanels {
  using Kernel = DotKernels::Row;
  template <int M, bool half>
  struct Of {
    static RNN_NOINLINE void call(const PackedView& p, size_t panel, size_t first, size_t count, const int8_t* q,
                                  int32_t sum, bool adds, float* out) {
      gemvDots<V, M * G, half ? G : 0>(weightsAt<V, Int8Quads, G>(p, panel), p.K, first, count, q, sum, adds, out);
    }
  };
  static constexpr int most = singleBlockPanels<V>(G, 1);
};

template <class V, int G>
DotKernels::Row dotRow(size_t panels, bool half) {
  if constexpr (V::hasHalfPanels)
    if (half)
      return kernelFor<DotPanels<V, G>, true>(panels);
  return kernelFor<DotPanels<V, G>, false>(panels);
}

// R rows times N vectors of columns.
template <class V, int N, int R>
void tileDots(const int32_t* w, size_t wStride, const int8_t* q, size_t qStride, const int32_t* rowSums, size_t K,
              float* out, size_t outStride) {
  using Dots = typename V::Dots;
  constexpr int L = V::lanes;
  Dots sums[R * N];
#pragma GCC unroll 8
  for (int r = 0; r < R; r++)
#pragma GCC unroll 64
    for (int n = 0; n < N; n++)
      sums[r * N + n] = startDots<Dots>(takesSums<Dots> ? rowSums[r] : 0);
  for (size_t k = 0; k < K; k++, w += wStride, q += 4) {
    if constexpr (takesSums<Dots> && N >= R) {
      // Its weights take an instruction of their own: each once, beside the inputs of all rows.
      typename Dots::Inputs held[R];
#pragma GCC unroll 8
      for (int r = 0; r < R; r++)
        held[r] = Dots::broadcast(q + r * qStride);
#pragma GCC unroll 64
      for (int n = 0; n < N; n++) {
        const auto weights = Dots::weights(w + n * L);
#pragma GCC unroll 8
        for (int r = 0; r < R; r++)
          sums[r * N + n] = sums[r * N + n].plus(weights, held[r]);
      }
    } else {
#pragma GCC unroll 8
      for (int r = 0; r < R; r++) {
        const typename Dots::Inputs a = Dots::broadcast(q + r * qStride);
#pragma GCC unroll 64
        for (int n = 0; n < N; n++)
          sums[r * N + n] = sums[r * N + n].plus(w + n * L, a);
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; r++)
#pragma GCC unroll 64
    for (int n = 0; n < N; n++)
      sums[r * N + n].store(out + r * outStride + n * L);
}

// The tile of r rows and m panels, as tileKernel() has them.
template <class V, int G, int R, int M>
RNN_INLINE DotKernels::Tile dotTileWithin(size_t r, size_t m) {
  if constexpr (R > leastRows<V>(G, 1))
    if (r < size_t(R))
      return dotTileWithin<V, G, R - 1, nrPanels<V>(G, 1, R - 1)>(r, m);
  if constexpr (M > 1)
    if (m < size_t(M))
      return dotTileWithin<V, G, R, M - 1>(r, m);
  return tileDots<V, M * G, R>;
}
template <class V, int G>
DotKernels::Tile dotTile(size_t rows, size_t panels) {
  constexpr int R = mr<V>(G, 1);
  return dotTileWithin<V, G, R, nrPanels<V>(G, 1, R)>(rows, panels);
}

// Of groups of four, by the instruction that multiplies them.
template <class V>
int32_t sumOfQuads(const int8_t* q, size_t count) {
  using Dots = typename V::Dots;
  constexpr size_t most = 4 * V::lanes;
  Dots sums = Dots::start(0);
  size_t i = 0;
  for (; i + most <= count; i += most)
    sums = sums.plusSum(q + i);
  alignas(64) float lanes[V::lanes];
  sums.store(lanes);
  int32_t sum = 0;
  for (size_t lane = 0; lane < size_t(V::lanes); lane++) {
    int32_t part;
    __builtin_memcpy(&part, lanes + lane, sizeof part);
    sum += part;
  }
  for (; i < count; i++)
    sum += q[i];
  return sum;
}

template <class V, int G = 4>
constexpr void fillDots(DotKernels& table) {
  if constexpr (G > 1)
    fillDots<V, G - 1>(table);
  table.row[G - 1] = dotRow<V, G>;
  table.tile[G - 1] = dotTile<V, G>;
  if constexpr (V::hasHalfPanels) {
    table.halfRow[G - 1] = DotPanels<Half<V>, G>::template Of<1, false>::call;
    table.halfTile[G - 1] = dotTile<Half<V>, G>;
  }
}
template <class V>
constexpr DotKernels makeDotKernels(const char* name, uint32_t needs) {
  DotKernels table{};
  table.name = name;
  table.needs = needs;
  fillDots<V>(table);
  if constexpr (takesSums<typename V::Dots>)
    table.sum = sumOfQuads<V>;
  return table;
}

} // namespace
