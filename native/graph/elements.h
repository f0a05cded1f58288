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

// Values of a run are taken to an array, and brought back from one, so many at a time.
constexpr size_t chunk = 256;

// `n` floats of a run to an array, and back.
void gatherFloats(const char* from, ptrdiff_t step, float* to, size_t n);
void scatterFloats(const float* from, char* to, ptrdiff_t step, size_t n);
// Integers of any type; booleans as 0 and 1. What does not fit on the way back is cut.
void gatherIntegers(Element, const char* from, ptrdiff_t step, int64_t* to, size_t n);
void scatterIntegers(Element, const int64_t* from, char* to, ptrdiff_t step, size_t n);

// Either of them, as the array is.
inline void gatherValues(Element, const char* from, ptrdiff_t step, float* to, size_t n) {
  gatherFloats(from, step, to, n);
}
inline void gatherValues(Element element, const char* from, ptrdiff_t step, int64_t* to, size_t n) {
  gatherIntegers(element, from, step, to, n);
}
inline void scatterValues(Element, const float* from, char* to, ptrdiff_t step, size_t n) {
  scatterFloats(from, to, step, n);
}
inline void scatterValues(Element element, const int64_t* from, char* to, ptrdiff_t step, size_t n) {
  scatterIntegers(element, from, to, step, n);
}

} // namespace native_rnn
