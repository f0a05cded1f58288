// Parts of vectors by way of an array, for processors without masks. neon.h and portable.h have them.
#pragma once
#include <cstddef>

namespace {

// The first n ≤ lanes; the others are 0.
template <class V>
inline V loadFirstOf(const float* p, size_t n) {
  float all[V::lanes] = {};
  for (size_t i = 0; i < n; i++)
    all[i] = p[i];
  return V::loadAny(all);
}
template <class V>
inline void storeFirstOf(V v, float* p, size_t n) {
  float all[V::lanes];
  v.storeAny(all);
  for (size_t i = 0; i < n; i++)
    p[i] = all[i];
}

} // namespace
