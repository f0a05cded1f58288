// What is made of many contiguous numbers: reductions, softmax and normalisation. A sum runs in 16 sums whatever a
// vector holds, then those in pairs, so that every instruction set has one order.
#pragma once
#include "elementwise.h"

namespace {

constexpr size_t sums = 16;

// What kinds of reductions do with each number: `start` changes nothing.
struct Sum {
  template <class V>
  static RNN_INLINE V start() {
    return V::set(0.0f);
  }
  template <class V>
  static RNN_INLINE V with(V total, V x) {
    return total + x;
  }
  template <class V>
  static RNN_INLINE V both(V a, V b) {
    return a + b;
  }
};
struct AbsSum : Sum {
  template <class V>
  static RNN_INLINE V with(V total, V x) {
    return total + abs(x);
  }
};
struct SquareSum : Sum {
  template <class V>
  static RNN_INLINE V with(V total, V x) {
    return fma(x, x, total);
  }
};
struct Product {
  template <class V>
  static RNN_INLINE V start() {
    return V::set(1.0f);
  }
  template <class V>
  static RNN_INLINE V with(V total, V x) {
    return total * x;
  }
  template <class V>
  static RNN_INLINE V both(V a, V b) {
    return a * b;
  }
};
struct Largest {
  template <class V>
  static RNN_INLINE V start() {
    return negative(infinity<V>());
  }
  template <class V>
  static RNN_INLINE V with(V total, V x) {
    return maximum(total, x);
  }
  template <class V>
  static RNN_INLINE V both(V a, V b) {
    return maximum(a, b);
  }
};
struct Smallest {
  template <class V>
  static RNN_INLINE V start() {
    return infinity<V>();
  }
  template <class V>
  static RNN_INLINE V with(V total, V x) {
    return minimum(total, x);
  }
  template <class V>
  static RNN_INLINE V both(V a, V b) {
    return minimum(a, b);
  }
};

template <Reduction R>
constexpr auto foldingOf() {
  using Kind = Reduction;
  if constexpr (R == Kind::max)
    return Largest{};
  else if constexpr (R == Kind::min)
    return Smallest{};
  else if constexpr (R == Kind::prod)
    return Product{};
  else if constexpr (R == Kind::l1)
    return AbsSum{};
  else if constexpr (R == Kind::l2 || R == Kind::sumSquare)
    return SquareSum{};
  else
    return Sum{};
}

// F over item(i, count), vectors of at most `lanes` of n numbers; it may do more with each. Of what a vector holds
// behind the last number nothing is taken.
template <class V, class F, class Item>
RNN_INLINE float reduced(size_t n, const Item& item) {
  constexpr size_t L = V::lanes, P = sums / L;
  V total[P];
  for (size_t p = 0; p < P; p++)
    total[p] = F::template start<V>();
  alignas(64) float all[sums];
  for (size_t i = 0; i < n; i += sums)
    for (size_t p = 0; p < P && i + p * L < n; p++) {
      const size_t at = i + p * L, left = n - at;
      const V next = F::with(total[p], item(at, left));
      if (left >= L) {
        total[p] = next;
      } else {
        total[p].store(all);
        next.storeFirst(all, left);
        total[p] = V::load(all);
      }
    }
  for (size_t p = 0; p < P; p++)
    total[p].store(all + p * L);
  for (size_t half = sums / 2; half > 0; half /= 2)
    for (size_t i = 0; i < half; i += L) {
      const V a = loadUpTo<V>(all + i, half - i), b = loadUpTo<V>(all + half + i, half - i);
      storeUpTo(F::both(a, b), all + i, half - i);
    }
  return all[0];
}

template <class V>
RNN_INLINE float single(V v) {
  float y;
  v.storeFirst(&y, 1);
  return y;
}

// F over the numbers themselves.
template <class V, class F>
RNN_ONE_COPY float reducedRow(const float* x, size_t n) {
  return reduced<V, F>(n, [&](size_t i, size_t left) { return loadUpTo<V>(x + i, left); });
}
// Σ e^(x − shift), each of which goes to y where that is not null.
template <class V>
RNN_ONE_COPY float expSum(const float* x, float* y, size_t n, float shift) {
  const V s = V::set(shift);
  return reduced<V, Sum>(n, [&](size_t i, size_t left) {
    const V e = exp(loadUpTo<V>(x + i, left) - s);
    if (y)
      storeUpTo(e, y + i, left);
    return e;
  });
}

template <class V, Reduction R>
float reduce(const float* x, size_t n) {
  if constexpr (R == Reduction::logSumExp) {
    // Where all is −infinite, or one is infinite, the difference would be NaN.
    const float largest = reducedRow<V, Largest>(x, n), shift = largest - largest == 0 ? largest : 0;
    return shift + single(log(V::set(expSum<V>(x, nullptr, n, shift))));
  } else {
    const float y = reducedRow<V, decltype(foldingOf<R>())>(x, n);
    return R == Reduction::mean ? y / float(n) : R == Reduction::l2 ? single(sqrt(V::set(y))) : y;
  }
}

template <class V, Reduction R>
void fold(const float* x, float* total, size_t n, bool isFirst) {
  using F = decltype(foldingOf<R>());
  for (size_t i = 0; i < n; i += V::lanes) {
    const V before = isFirst ? F::template start<V>() : loadUpTo<V>(total + i, n - i);
    storeUpTo(F::with(before, loadUpTo<V>(x + i, n - i)), total + i, n - i);
  }
}

template <class V>
void softmax(const float* x, float* y, size_t n, bool isLog) {
  const float largest = reducedRow<V, Largest>(x, n);
  const V sum = V::set(expSum<V>(x, isLog ? nullptr : y, n, largest));
  const V shift = V::set(largest), logSum = log(sum);
  for (size_t i = 0; i < n; i += V::lanes) {
    const size_t left = n - i;
    storeUpTo(isLog ? (loadUpTo<V>(x + i, left) - shift) - logSum : loadUpTo<V>(y + i, left) / sum, y + i, left);
  }
}

template <class V>
void norm(const float* x, const float* scale, const float* bias, float* y, size_t n, float epsilon) {
  const V mean = V::set(reducedRow<V, Sum>(x, n) / float(n));
  // In a second pass: the squares of far numbers would leave nothing of their differences.
  const float squares =
      reduced<V, SquareSum>(n, [&](size_t i, size_t left) { return loadUpTo<V>(x + i, left) - mean; });
  const V factor = V::set(1.0f) / sqrt(V::set(squares / float(n) + epsilon));
  for (size_t i = 0; i < n; i += V::lanes) {
    const size_t left = n - i;
    V v = (loadUpTo<V>(x + i, left) - mean) * factor;
    if (scale)
      v = v * loadUpTo<V>(scale + i, left);
    if (bias)
      v = v + loadUpTo<V>(bias + i, left);
    storeUpTo(v, y + i, left);
  }
}

} // namespace
