// Reading what JavaScript gives: arguments, numbers and the elements of typed arrays, each of which may be anything.
//
// A pointer into an array holds until JavaScript runs again, and reading an element of a plain array may run a getter:
// typed arrays are therefore read last.
#pragma once
#include "exceptions.h"
#include <cmath>
#include <vector>

namespace native_rnn {

// Missing ones are undefined.
template <size_t count>
struct Arguments {
  Arguments(napi_env env, napi_callback_info info) {
    size_t given = count;
    check(napi_get_cb_info(env, info, &given, values, nullptr, nullptr));
  }
  napi_value operator[](size_t index) const { return values[index]; }
  napi_value values[count];
};

inline napi_valuetype typeOf(napi_env env, napi_value value) {
  napi_valuetype type;
  check(napi_typeof(env, value, &type));
  return type;
}
inline bool isUndefined(napi_env env, napi_value value) { return typeOf(env, value) == napi_undefined; }

// NaN for what is no number.
inline double numberOf(napi_env env, napi_value value) {
  double number;
  return napi_get_value_double(env, value, &number) == napi_ok ? number : NAN;
}
inline size_t sizeOf(napi_env env, napi_value value, size_t least, size_t most) {
  return wholeNumber(numberOf(env, value), least, most);
}

// The first elements of an array, each as `read` makes it.
template <class Element, class Read>
std::vector<Element> readList(napi_env env, napi_value list, size_t count, const Read& read) {
  bool isArray;
  check(napi_is_array(env, list, &isArray));
  if (!isArray)
    throwInvalid("a list is missing");
  std::vector<Element> elements;
  elements.reserve(count);
  for (size_t index = 0; index < count; index++) {
    napi_value value;
    check(napi_get_element(env, list, static_cast<uint32_t>(index), &value));
    elements.push_back(read(value));
  }
  return elements;
}

template <class Element>
struct ElementType;
template <>
struct ElementType<float> {
  static constexpr napi_typedarray_type type = napi_float32_array;
};
template <>
struct ElementType<int32_t> {
  static constexpr napi_typedarray_type type = napi_int32_array;
};

template <>
struct ElementType<double> {
  static constexpr napi_typedarray_type type = napi_float64_array;
};
template <>
struct ElementType<uint8_t> {
  static constexpr napi_typedarray_type type = napi_uint8_array;
};

template <class Element>
Element* elements(napi_env env, napi_value value, size_t& length) {
  napi_typedarray_type type;
  void* data;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != ElementType<Element>::type) {
    throwInvalid("an array is missing or of the wrong type");
  }
  return static_cast<Element*>(data);
}
// The same of a known length.
template <class Element>
Element* elementsOf(napi_env env, napi_value value, size_t length) {
  size_t found;
  Element* const data = elements<Element>(env, value, found);
  if (found != length)
    throwInvalid("an array has the wrong length");
  return data;
}
inline float* floats(napi_env env, napi_value value, size_t length) { return elementsOf<float>(env, value, length); }

} // namespace native_rnn
