// Products whose factors are both computed: matrices in plain rows, and the pixels of a depthwise convolution. Packed
// weights are matmul/'s.
#pragma once
#include "../simd/rounding.h"
#include "elementwise.h"

namespace {

// R rows times C vectors of columns, of the last of which `last` are there.
template <class V, int R, int C, bool isPartial>
void productTile(const MatmulArgs& args, size_t m, size_t n, size_t last) {
  constexpr int L = V::lanes;
  V sum[R][C];
  float* y = args.y + ptrdiff_t(m) * args.yRow + n;
#pragma GCC unroll 4
  for (int r = 0; r < R; r++)
#pragma GCC unroll 2
    for (int c = 0; c < C; c++)
      sum[r][c] = V::set(0.0f);
  if (args.goesOn)
#pragma GCC unroll 4
    for (int r = 0; r < R; r++)
#pragma GCC unroll 2
      for (int c = 0; c < C; c++) {
        const float* const before = y + r * args.yRow + c * L;
        sum[r][c] = isPartial ? V::loadFirst(before, last) : V::loadAny(before);
      }
  const float* a = args.a + ptrdiff_t(m) * args.aRow;
  const float* b = args.b + n;
  for (size_t k = 0; k < args.K; k++, a += args.aK, b += args.bRow) {
    V column[C];
#pragma GCC unroll 2
    for (int c = 0; c < C; c++)
      column[c] = isPartial ? V::loadFirst(b + c * L, last) : V::loadAny(b + c * L);
#pragma GCC unroll 4
    for (int r = 0; r < R; r++) {
      const V factor = V::broadcast(a + r * args.aRow);
#pragma GCC unroll 2
      for (int c = 0; c < C; c++)
        sum[r][c] = fma(factor, column[c], sum[r][c]);
    }
  }
  const V alpha = V::set(args.alpha);
#pragma GCC unroll 4
  for (int r = 0; r < R; r++, y += args.yRow)
#pragma GCC unroll 2
    for (int c = 0; c < C; c++) {
      const V v = alpha * sum[r][c];
      isPartial ? v.storeFirst(y + c * L, last) : v.storeAny(y + c * L);
    }
}

template <class V, int R>
void productRows(const MatmulArgs& args, size_t m) {
  constexpr size_t L = V::lanes;
  size_t n = 0;
  for (; n + 2 * L <= args.N; n += 2 * L)
    productTile<V, R, 2, false>(args, m, n, L);
  if (n + L <= args.N)
    productTile<V, R, 1, false>(args, m, n, L), n += L;
  if (n < args.N)
    productTile<V, R, 1, true>(args, m, n, args.N - n);
}

template <class V>
void matmul(const MatmulArgs& args) {
  constexpr size_t R = 4;
  size_t m = 0;
  for (; m + R <= args.M; m += R)
    productRows<V, R>(args, m);
  for (; m < args.M; m++)
    productRows<V, 1>(args, m);
}

template <class V>
void depthwise(const DepthwiseArgs& args) {
  for (size_t c = 0; c < args.channels; c += V::lanes) {
    const size_t left = args.channels - c;
    V sum = args.bias ? loadUpTo<V>(args.bias + c, left) : V::set(0.0f);
    for (size_t row = 0; row < args.rows; row++) {
      const float* x = args.x + ptrdiff_t(row) * args.xRow + c;
      const float* w = args.w + ptrdiff_t(row) * args.wRow + c;
      for (size_t column = 0; column < args.columns; column++, x += args.xColumn, w += args.wColumn)
        sum = fma(loadUpTo<V>(x, left), loadUpTo<V>(w, left), sum);
    }
    storeUpTo(sum, args.y + c, left);
  }
}

// The same of inputs in int8: a channel's taps are brought to whole numbers within ±127 by a scale of their own, as
// matmul/quantize.h does with a row. The weights are whole numbers too, so that sums of mostInt8Taps are exact.
template <class V>
void depthwiseInt8(const DepthwiseArgs& args) {
  const V zero = V::set(0.0f), limit = V::set(127.0f), lower = V::set(-127.0f), edge = V::set(wholeNumbers);
  for (size_t c = 0; c < args.channels; c += V::lanes) {
    const size_t left = args.channels - c;
    const auto forEachTap = [&](const auto& visit) {
      for (size_t row = 0; row < args.rows; row++)
        for (size_t column = 0; column < args.columns; column++)
          visit(loadUpTo<V>(args.x + ptrdiff_t(row) * args.xRow + ptrdiff_t(column) * args.xColumn + c, left),
                args.w + ptrdiff_t(row) * args.wRow + ptrdiff_t(column) * args.wColumn + c);
    };
    V most = V::set(-0.0f);
    forEachTap([&](V x, const float*) { most = largerSize(most, negativeAbs(x)); });
    const V size = zero - most;
    const V scale = size / limit + (size - size); // NaN where the size is not finite
    V sum = zero;
    forEachTap([&](V x, const float* w) {
      const V rounded = (max(min(x / scale, limit), lower) + edge) - edge;
      sum = fma(select(zero < scale, rounded, zero), loadUpTo<V>(w, left), sum);
    });
    const V bias = args.bias ? loadUpTo<V>(args.bias + c, left) : zero;
    storeUpTo(fma(loadUpTo<V>(args.scales + c, left) * scale, sum, bias), args.y + c, left);
  }
}

} // namespace
