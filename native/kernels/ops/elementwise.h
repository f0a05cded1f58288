// Functions of each number and of each two numbers of contiguous arrays.
#pragma once
#include "../kernels.h"
#include "../simd/map_functions.h"
#include "power.h"

namespace {

// The next at most `lanes` of n numbers: one copy of what is computed with them serves whole vectors and the rest.
template <class V>
RNN_INLINE V loadUpTo(const float* p, size_t n) {
  return n >= size_t(V::lanes) ? V::loadAny(p) : V::loadFirst(p, n);
}
template <class V>
RNN_INLINE void storeUpTo(V v, float* p, size_t n) {
  n >= size_t(V::lanes) ? v.storeAny(p) : v.storeFirst(p, n);
}

template <class V, MapFunction F>
void map(const float* x, float* y, size_t n, float alpha, float beta) {
  const V a = V::set(alpha), b = V::set(beta);
  for (size_t i = 0; i < n; i += V::lanes)
    storeUpTo(mapped<F>(loadUpTo<V>(x + i, n - i), a, b), y + i, n - i);
}

template <ZipFunction F, class V>
RNN_INLINE V zipped(V a, V b) {
  using Fn = ZipFunction;
  if constexpr (F == Fn::add)
    return a + b;
  else if constexpr (F == Fn::sub)
    return a - b;
  else if constexpr (F == Fn::mul)
    return a * b;
  else if constexpr (F == Fn::div)
    return a / b;
  else if constexpr (F == Fn::min)
    return minimum(a, b);
  else if constexpr (F == Fn::max)
    return maximum(a, b);
  else {
    static_assert(F == Fn::prelu, "every function of floats is here");
    return select(a < V::set(0.0f), a * b, a);
  }
}

template <class V, ZipFunction F, Operands O>
void zip(const float* a, const float* b, float* y, size_t n) {
  const V firstA = V::set(n ? *a : 0.0f), firstB = V::set(n ? *b : 0.0f);
  for (size_t i = 0; i < n; i += V::lanes) {
    const V va = O == Operands::oneA ? firstA : loadUpTo<V>(a + i, n - i);
    const V vb = O == Operands::oneB ? firstB : loadUpTo<V>(b + i, n - i);
    storeUpTo(zipped<F>(va, vb), y + i, n - i);
  }
}

// One after the other, where there is no formula for vectors.
template <float (*of)(float, float), Operands O>
void zipSingly(const float* a, const float* b, float* y, size_t n) {
  const float firstA = n ? *a : 0.0f, firstB = n ? *b : 0.0f;
  for (size_t i = 0; i < n; i++)
    y[i] = of(O == Operands::oneA ? firstA : a[i], O == Operands::oneB ? firstB : b[i]);
}

// x^2, x^3 and √x, which powOf() has in the same way.
template <class V>
void powOfMany(const float* a, const float* b, float* y, size_t n) {
  const float exponent = n ? *b : 0.0f;
  if (exponent != 2 && exponent != 3)
    return zipSingly<powOf, Operands::oneB>(a, b, y, n);
  for (size_t i = 0; i < n; i += V::lanes) {
    const V x = loadUpTo<V>(a + i, n - i);
    storeUpTo(exponent == 2 ? x * x : x * x * x, y + i, n - i);
  }
}

template <ZipFunction F, Operands O>
void compare(const float* a, const float* b, uint8_t* y, size_t n) {
  using Fn = ZipFunction;
  const float firstA = n ? *a : 0.0f, firstB = n ? *b : 0.0f;
  for (size_t i = 0; i < n; i++) {
    const float va = O == Operands::oneA ? firstA : a[i], vb = O == Operands::oneB ? firstB : b[i];
    y[i] = F == Fn::equal         ? va == vb
           : F == Fn::less        ? va < vb
           : F == Fn::lessOrEqual ? va <= vb
           : F == Fn::greater     ? va > vb
                                  : va >= vb;
  }
}

} // namespace
