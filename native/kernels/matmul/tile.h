// A tile of a product: some rows times some vectors of columns, in registers. Internal to each instruction set's
// object.
#pragma once
#include "gemv.h"

namespace {

// Adds one input of R rows, aStride apart, times N vectors of weights that registers hold.
template <int N, int R, class V>
RNN_INLINE void addInput(V (&sum)[R * N], const V (&held)[N], const float* a, ptrdiff_t aStride) {
#pragma GCC unroll 8
  for (int r = 0; r < R; r++) {
    const V b = V::broadcast(a + r * aStride);
#pragma GCC unroll 64
    for (int n = 0; n < N; n++)
      sum[r * N + n] = fma(held[n], b, sum[r * N + n]);
  }
}

// R rows times N vectors of columns over some of K: out = (bias, or out where that is null) + a · w.
template <class V, class W, int S, int N, int R>
void tile(const typename W::Stored* w, size_t wStride, const float* a, ptrdiff_t aStride, size_t K, const float* bias,
          float* out, size_t outStride) {
  constexpr int L = V::lanes;
  V sum[S][R * N];
#pragma GCC unroll 8
  for (int r = 0; r < R; r++)
#pragma GCC unroll 64
    for (int n = 0; n < N; n++)
      sum[0][r * N + n] = V::load(bias ? bias + n * L : out + r * outStride + n * L);
#pragma GCC unroll 8
  for (int s = 1; s < S; s++)
#pragma GCC unroll 64
    for (int n = 0; n < R * N; n++)
      sum[s][n] = V::set(0.0f);
  size_t k = 0;
  // The smaller of the two operands' sets is held in registers, the other passes through one.
  const auto add = [&](int s) {
    V held[N < R ? N : R];
    if constexpr (N < R) {
#pragma GCC unroll 64
      for (int n = 0; n < N; n++)
        held[n] = W::template load<V>(w + n * L);
      addInput<N, R>(sum[s], held, a + k, aStride);
    } else {
#pragma GCC unroll 8
      for (int r = 0; r < R; r++)
        held[r] = V::broadcast(a + r * aStride + k);
#pragma GCC unroll 64
      for (int n = 0; n < N; n++) {
        const V v = W::template load<V>(w + n * L);
#pragma GCC unroll 8
        for (int r = 0; r < R; r++)
          sum[s][r * N + n] = fma(v, held[r], sum[s][r * N + n]);
      }
    }
    k++, w += wStride;
  };
  // Two inputs a turn; that each may be the last keeps the loads of the second where they are.
  if constexpr (S == 1 && tilingOf<V>.loadsComeFirst)
    for (bool isOver = K == 0; !isOver;)
#pragma GCC unroll 2
      for (int i = 0; i < 2 && !isOver; i++) {
        add(0);
        isOver = k == K;
      }
  while (k + S <= K)
#pragma GCC unroll 8
    for (int s = 0; s < S; s++)
      add(s);
#pragma GCC unroll 8
  for (int s = 0; s < S - 1; s++)
    if (k < K)
      add(s);
  reduceSplits<S, R * N>(sum);
#pragma GCC unroll 8
  for (int r = 0; r < R; r++)
#pragma GCC unroll 64
    for (int n = 0; n < N; n++)
      sum[0][r * N + n].store(out + r * outStride + n * L);
}

template <class W>
using TileKernel = void (*)(const typename W::Stored*, size_t, const float*, ptrdiff_t, size_t, const float*, float*,
                            size_t);

// The tile of r rows and m panels; r ≤ R and m ≤ M.
template <class V, class W, int G, int S, int R, int M>
inline TileKernel<W> tileKernel(size_t r, size_t m) {
  if constexpr (R > leastRows<V>(G, S))
    if (r < size_t(R))
      return tileKernel<V, W, G, S, R - 1, nrPanels<V>(G, S, R - 1)>(r, m);
  if constexpr (M > 1)
    if (m < size_t(M))
      return tileKernel<V, W, G, S, R, M - 1>(r, m);
  return tile<V, W, S, M * G, R>;
}

} // namespace
