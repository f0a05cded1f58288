// Between values of a type and arrays of the widest one of their kind: what computes with integers exists once.
#include "elements.h"

namespace native_rnn {

void gatherFloats(const char* from, ptrdiff_t step, float* to, size_t n) {
  for (size_t i = 0; i < n; i++, from += step)
    to[i] = *reinterpret_cast<const float*>(from);
}

void scatterFloats(const float* from, char* to, ptrdiff_t step, size_t n) {
  for (size_t i = 0; i < n; i++, to += step)
    *reinterpret_cast<float*>(to) = from[i];
}

void gatherIntegers(Element element, const char* from, ptrdiff_t step, int64_t* to, size_t n) {
  withElement(element, [&](auto type) {
    for (size_t i = 0; i < n; i++, from += step)
      to[i] = static_cast<int64_t>(*reinterpret_cast<const typename decltype(type)::type*>(from));
  });
  if (element == Element::boolean)
    for (size_t i = 0; i < n; i++)
      to[i] = to[i] != 0;
}

void scatterIntegers(Element element, const int64_t* from, char* to, ptrdiff_t step, size_t n) {
  const bool isBoolean = element == Element::boolean;
  withElement(element, [&](auto type) {
    using Value = typename decltype(type)::type;
    for (size_t i = 0; i < n; i++, to += step)
      valueAt<Value>(to) = static_cast<Value>(isBoolean ? from[i] != 0 : from[i]);
  });
}

} // namespace native_rnn
