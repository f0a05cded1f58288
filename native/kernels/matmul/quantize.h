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

// The largest size of a row's numbers; not finite where one is not.
template <class V>
RNN_INLINE float largestSizeOf(const float* a, size_t K) {
  constexpr size_t L = V::lanes;
  V most = V::set(-0.0f);
  size_t k = 0;
  for (; k + L <= K; k += L)
    most = largerSize(most, negativeAbs(V::loadAny(a + k)));
  if (k < K)
    most = largerSize(most, negativeAbs(V::loadFirst(a + k, K - k)));
  return most.largestSize();
}

// That of a whole vector.
template <class V>
RNN_INLINE float largestSizeOfVector(const float* a) {
  if constexpr (V::lanes > 4)
    return V::largestSizeAt(a);
  else
    return negativeAbs(V::loadAny(a)).largestSize();
}

// A 127th of a row's largest size; NaN where that is not finite.
inline float scaleOfSize(float size) {
  const float zero = size - size;
  return zero == 0.0f ? size / 127.0f : zero;
}

// For each x of a row the lowest byte of rounded(x).
template <class V, class Rounded>
RNN_INLINE void storeRounded(const float* a, size_t K, int8_t* q, const Rounded& rounded) {
  constexpr size_t L = V::lanes;
  size_t k = 0;
#pragma GCC unroll 1
  for (; k + L <= K; k += L)
    rounded(V::loadAny(a + k)).storeLowBytes(q + k);
  if (k < K)
    rounded(V::loadFirst(a + k, K - k)).storeLowBytes(q + k);
}
template <class V>
RNN_ONE_COPY void divideToInt8(const float* a, size_t K, float scale, int8_t* q) {
  const V divisor = V::set(scale), most = V::set(127.0f), least = V::set(-127.0f), edge = V::set(wholeNumbers);
  storeRounded<V>(a, K, q, [&](V x) { return max(min(x / divisor, most), least) + edge; });
}

// Numbers times `factor` as whole numbers, and whether one lies so near to the middle between two that a quotient in
// the product's place may round to the other.
template <class V>
struct NearestWhole {
  const V factor, edge = V::set(wholeNumbers);
  V farthest = V::set(0.0f); // from a whole number, negative
  // The number in the lowest byte.
  RNN_INLINE V rounded(V x) {
    const V nearest = fma(x, factor, edge);
    farthest = min(farthest, negativeAbs(fma(x, factor, edge - nearest)));
    return nearest;
  }
  RNN_INLINE bool isInDoubt() const { return any(farthest < V::set(-0.49996f)); }
};
// A scale below the normal numbers is far from a 127th, and its inverse may be infinite.
constexpr float leastInvertedScale = 1.17549435e-38f;

// A row as whole numbers within ±127: x / scale to the nearest, half to even; zeros where the scale is 0 or NaN.
// `inverse` is 1 / scale, or 127 / size: its product with x is at most 127 · 4 · 2^−24 from the rounded quotient, so
// that both have the same nearest number but where one lies in the middle between two. Those are divided, with their
// neighbours.
template <class V>
RNN_INLINE void toInt8(const float* a, size_t K, float scale, float inverse, int8_t* q) {
  if (scale >= leastInvertedScale) {
    NearestWhole<V> nearest{V::set(inverse)};
    storeRounded<V>(a, K, q, [&](V x) { return nearest.rounded(x); });
    if (!nearest.isInDoubt())
      return;
  }
  if (scale > 0)
    divideToInt8<V>(a, K, scale, q);
  else
    __builtin_memset(q, 0, quantizedStride(K));
}
// The same of a row of any length: of few numbers at a time hardly any is divided.
template <class V>
RNN_INLINE void longToInt8(const float* a, size_t K, float scale, float inverse, int8_t* q) {
  constexpr size_t most = 256;
  for (size_t k = 0; k < K; k += most)
    toInt8<V>(a + k, least(most, K - k), scale, inverse, q + k);
}

// Each by itself, of a long one.
template <class V>
RNN_ONE_COPY float scaleOfRow(const float* a, size_t K) {
  return scaleOfSize(largestSizeOf<V>(a, K));
}
template <class V>
RNN_ONE_COPY void quantizePart(const float* a, size_t K, float scale, int8_t* q) {
  longToInt8<V>(a, K, scale, 1.0f / scale, q);
}

// Sizes whose 127th may be inverted; they are finite.
constexpr float leastInvertedSize = 127 * leastInvertedScale, mostInvertedSize = 3.40282347e38f;

// Both, of a row that is not long; gives its scale.
template <class V>
RNN_INLINE float rowToInt8Inlined(const float* a, size_t K, int8_t* q) {
  constexpr size_t L = V::lanes;
  if (K > L) {
    const float size = largestSizeOf<V>(a, K), inverse = 127.0f / size, scale = scaleOfSize(size);
    longToInt8<V>(a, K, scale, inverse, q);
    return scale;
  }
  // What fits one vector stays in its register. All that follows waits for the inverse, which goes first: a division by
  // 127 takes as long again.
  const V x = K == L ? V::loadAny(a) : V::loadFirst(a, K);
  const float size = K == L ? largestSizeOfVector<V>(a) : negativeAbs(x).largestSize();
  if (size >= leastInvertedSize && size <= mostInvertedSize) {
    NearestWhole<V> nearest{V::set(127.0f / size)};
    nearest.rounded(x).storeLowBytes(q);
    if (!nearest.isInDoubt())
      return size / 127.0f;
  }
  const float scale = scaleOfSize(size);
  quantizePart<V>(a, K, scale, q);
  return scale;
}
template <class V>
RNN_ONE_COPY float rowToInt8(const float* a, size_t K, int8_t* q) {
  return rowToInt8Inlined<V>(a, K, q);
}

// Sums of some rows as they are to the products that they stand for, in place.
template <class V>
RNN_NOINLINE void finishDots(float* sums, size_t stride, size_t rows, size_t columns, const float* scales,
                             const float* bias, const float* rowScales) {
  constexpr size_t L = V::lanes;
  size_t i = 0;
  for (; i + L <= columns; i += L) {
    const V scale = V::load(scales + i), start = V::load(bias + i);
    float* sum = sums + i;
    for (size_t r = 0; r < rows; r++, sum += stride)
      fma(scale * V::broadcast(rowScales + r), V::ofInts(sum), start).store(sum);
  }
  if constexpr (V::hasHalfPanels)
    if (i < columns)
      finishDots<Half<V>>(sums + i, stride, rows, columns - i, scales + i, bias + i, rowScales);
}

} // namespace
