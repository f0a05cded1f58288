// The types of values in C++, and choosing by them. A boolean is a byte that is not 0.
#pragma once
#include "view.h"
#include <cstring>

namespace native_rnn {

template <class Value>
struct TypeOf {
  using type = Value;
};

// Calls body(TypeOf<Value>{}) with the type of such values; a boolean's is uint8_t.
template <class Body>
decltype(auto) withElement(Element element, const Body& body) {
  switch (element) {
  case Element::float32:
    return body(TypeOf<float>{});
  case Element::int32:
    return body(TypeOf<int32_t>{});
  case Element::int64:
    return body(TypeOf<int64_t>{});
  case Element::int8:
    return body(TypeOf<int8_t>{});
  default:
    return body(TypeOf<uint8_t>{});
  }
}

template <class Value>
Value& valueAt(char* at) {
  return *reinterpret_cast<Value*>(at);
}

// `n` floats of a run to an array, and back.
inline void gatherFloats(const char* from, ptrdiff_t step, float* to, size_t n) {
  for (size_t i = 0; i < n; i++, from += step)
    to[i] = *reinterpret_cast<const float*>(from);
}
inline void scatterFloats(const float* from, char* to, ptrdiff_t step, size_t n) {
  for (size_t i = 0; i < n; i++, to += step)
    *reinterpret_cast<float*>(to) = from[i];
}

} // namespace native_rnn
