// One vector, or two vectors side by side with the same operators: two chains of dependent operations in flight where
// one would wait for itself.
#pragma once
#include "activations.h"

namespace {

template <class V>
struct VecPair {
  V a, b;
  static RNN_INLINE VecPair set(float x) { return {V::set(x), V::set(x)}; }
};
template <class V>
struct MaskPair {
  decltype(V() < V()) a, b;
};

template <class V>
RNN_INLINE VecPair<V> operator+(VecPair<V> x, VecPair<V> y) {
  return {x.a + y.a, x.b + y.b};
}
template <class V>
RNN_INLINE VecPair<V> operator-(VecPair<V> x, VecPair<V> y) {
  return {x.a - y.a, x.b - y.b};
}
template <class V>
RNN_INLINE VecPair<V> operator*(VecPair<V> x, VecPair<V> y) {
  return {x.a * y.a, x.b * y.b};
}
template <class V>
RNN_INLINE VecPair<V> operator/(VecPair<V> x, VecPair<V> y) {
  return {x.a / y.a, x.b / y.b};
}
template <class V>
RNN_INLINE MaskPair<V> operator<(VecPair<V> x, VecPair<V> y) {
  return {x.a < y.a, x.b < y.b};
}
template <class V>
RNN_INLINE VecPair<V> fma(VecPair<V> x, VecPair<V> y, VecPair<V> z) {
  return {fma(x.a, y.a, z.a), fma(x.b, y.b, z.b)};
}
template <class V>
RNN_INLINE VecPair<V> fnma(VecPair<V> x, VecPair<V> y, VecPair<V> z) {
  return {fnma(x.a, y.a, z.a), fnma(x.b, y.b, z.b)};
}
template <class V>
RNN_INLINE VecPair<V> select(MaskPair<V> mask, VecPair<V> x, VecPair<V> y) {
  return {select(mask.a, x.a, y.a), select(mask.b, x.b, y.b)};
}
template <class V>
RNN_INLINE VecPair<V> min(VecPair<V> x, VecPair<V> y) {
  return {min(x.a, y.a), min(x.b, y.b)};
}
template <class V>
RNN_INLINE VecPair<V> max(VecPair<V> x, VecPair<V> y) {
  return {max(x.a, y.a), max(x.b, y.b)};
}
template <class V>
RNN_INLINE VecPair<V> negativeAbs(VecPair<V> x) {
  return {negativeAbs(x.a), negativeAbs(x.b)};
}
template <class V>
RNN_INLINE VecPair<V> copySign(VecPair<V> x, VecPair<V> y) {
  return {copySign(x.a, y.a), copySign(x.b, y.b)};
}
template <class V>
RNN_INLINE VecPair<V> powerOfTwo(VecPair<V> x, VecPair<V> y) {
  return {powerOfTwo(x.a, y.a), powerOfTwo(x.b, y.b)};
}

// The vectors of R rows or panels, `stride` floats from one to the next.
template <class V, int R>
struct VecGroup;
template <class V>
struct VecGroup<V, 1> {
  using Vec = V;
  static RNN_INLINE Vec load(const float* p, size_t) { return V::load(p); }
  static RNN_INLINE void store(Vec v, float* p, size_t) { v.store(p); }
};
template <class V>
struct VecGroup<V, 2> {
  using Vec = VecPair<V>;
  static RNN_INLINE Vec load(const float* p, size_t stride) { return {V::load(p), V::load(p + stride)}; }
  static RNN_INLINE void store(Vec v, float* p, size_t stride) { v.a.store(p), v.b.store(p + stride); }
};

} // namespace
