// Four floats and four integers with the operators of GCC's vector types, for compilers without those (MSVC).
#pragma once
#include <cstdint>

namespace {

struct Ints;

struct Floats {
  float at[4];
  float& operator[](int i) { return at[i]; }
  float operator[](int i) const { return at[i]; }
  inline explicit operator Ints() const;
};

struct Ints {
  int32_t at[4];
  int32_t operator[](int i) const { return at[i]; }
  explicit operator Floats() const {
    Floats r;
    __builtin_memcpy(r.at, at, sizeof at);
    return r;
  }
};

inline Floats::operator Ints() const {
  Ints r;
  __builtin_memcpy(r.at, at, sizeof at);
  return r;
}

template <class R, class F>
inline R each4(F f) {
  return {{f(0), f(1), f(2), f(3)}};
}
inline Floats operator+(Floats a, Floats b) {
  return each4<Floats>([&](int i) { return a.at[i] + b.at[i]; });
}
inline Floats operator-(Floats a, Floats b) {
  return each4<Floats>([&](int i) { return a.at[i] - b.at[i]; });
}
inline Floats operator*(Floats a, Floats b) {
  return each4<Floats>([&](int i) { return a.at[i] * b.at[i]; });
}
inline Floats operator/(Floats a, Floats b) {
  return each4<Floats>([&](int i) { return a.at[i] / b.at[i]; });
}
inline Ints operator<(Floats a, Floats b) {
  return each4<Ints>([&](int i) { return a.at[i] < b.at[i] ? int32_t(-1) : int32_t(0); });
}
inline Ints operator<(Ints a, Ints b) {
  return each4<Ints>([&](int i) { return a.at[i] < b.at[i] ? int32_t(-1) : int32_t(0); });
}
inline Ints operator==(Floats a, Floats b) {
  return each4<Ints>([&](int i) { return a.at[i] == b.at[i] ? int32_t(-1) : int32_t(0); });
}
inline Ints operator&(Ints a, Ints b) {
  return each4<Ints>([&](int i) { return a.at[i] & b.at[i]; });
}
inline Ints operator&(Ints a, int32_t b) {
  return each4<Ints>([&](int i) { return a.at[i] & b; });
}
inline Ints operator|(Ints a, int32_t b) {
  return each4<Ints>([&](int i) { return a.at[i] | b; });
}
inline Ints operator|(Ints a, Ints b) {
  return each4<Ints>([&](int i) { return a.at[i] | b.at[i]; });
}
inline Ints operator~(Ints a) {
  return each4<Ints>([&](int i) { return ~a.at[i]; });
}
// Both wrap around, as the vector types do.
inline Ints operator<<(Ints a, int n) {
  return each4<Ints>([&](int i) { return int32_t(uint32_t(a.at[i]) << n); });
}
inline Ints operator>>(Ints a, int n) {
  return each4<Ints>([&](int i) { return a.at[i] >> n; });
}
inline Ints operator+(Ints a, Ints b) {
  return each4<Ints>([&](int i) { return int32_t(uint32_t(a.at[i]) + uint32_t(b.at[i])); });
}

} // namespace
