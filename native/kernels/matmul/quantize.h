// Rows of inputs in int8, and what their exact sums stand for. Internal to each instruction set's object.
#pragma once
#include "../simd/rounding.h"
#include "by_panels.h"

namespace {

// Of a row, the most inputs that are brought to int8 at once; and the bytes that several rows may take.
constexpr size_t mostQuantizedInputs = 16384, quantizedBytes = 32768;
// The most inputs whose sums cannot pass 32 bits: 127 · 127 each.
constexpr size_t mostInt32Inputs = 131072;
static_assert(mostInt32Inputs * 127 * 127 < size_t(1) << 31, "sums fit");

// Bytes of a row in int8: whole vectors are written.
constexpr size_t quantizedStride(size_t inputs) { return (inputs + 63) / 64 * 64; }

// The largest of a row divided by 127; NaN where one is not finite.
template <class V>
RNN_INLINE float scaleOf(const float* a, size_t K) {
  constexpr size_t L = V::lanes;
  const V zero = V::set(0.0f);
  V most = zero, least = zero, finite = zero; // 0 · x is NaN where x is not finite
  const auto add = [&](V x) { most = max(most, x), least = min(least, x), finite = fma(x, zero, finite); };
  size_t k = 0;
  for (; k + L <= K; k += L)
    add(V::loadAny(a + k));
  if (k < K)
    add(V::loadFirst(a + k, K - k));
  const float size = select(finite == zero, max(most, zero - least), infinity<V>()).largest();
  return size - size == 0.0f ? size / 127.0f : size - size; // infinite − infinite
}

// A row as whole numbers within ±127; zeros where the scale is 0 or NaN.
template <class V>
RNN_INLINE void toInt8(const float* a, size_t K, float scale, int8_t* q) {
  constexpr size_t L = V::lanes;
  if (!(scale > 0)) {
    __builtin_memset(q, 0, quantizedStride(K));
    return;
  }
  const V divisor = V::set(scale), most = V::set(127.0f), least = V::set(-127.0f);
  const auto round = [&](V x) { return max(min(x / divisor, most), least); };
  size_t k = 0;
  for (; k + L <= K; k += L)
    round(V::loadAny(a + k)).storeInt8(q + k);
  if (k < K)
    round(V::loadFirst(a + k, K - k)).storeInt8(q + k);
}

// Both, of a row that is not long.
template <class V>
RNN_ONE_COPY float rowToInt8(const float* a, size_t K, int8_t* q) {
  const float scale = scaleOf<V>(a, K);
  toInt8<V>(a, K, scale, q);
  return scale;
}
// Each by itself, of a long one.
template <class V>
RNN_ONE_COPY float scaleOfRow(const float* a, size_t K) {
  return scaleOf<V>(a, K);
}
template <class V>
RNN_ONE_COPY void quantizePart(const float* a, size_t K, float scale, int8_t* q) {
  toInt8<V>(a, K, scale, q);
}

// Sums as they are to the products that they stand for, in place.
template <class V>
RNN_NOINLINE void finishDots(float* sums, size_t columns, const float* scales, const float* bias, float scale) {
  constexpr size_t L = V::lanes;
  const V factor = V::set(scale);
  size_t i = 0;
  for (; i + L <= columns; i += L)
    fma(V::load(scales + i) * factor, V::ofInts(sums + i), V::load(bias + i)).store(sums + i);
  if constexpr (V::hasHalfPanels)
    if (i < columns)
      finishDots<Half<V>>(sums + i, columns - i, scales + i, bias + i, scale);
}

} // namespace
