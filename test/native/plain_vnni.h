// The code for VNNI with its instruction spelled out, so that it runs on every processor. Its tables are compiled once,
// in plain_vnni.cpp.
#pragma once
#include "kernels/matmul/dots.h"
#include <cstring>

namespace {

// vpdpbusd as Intel's manual defines it: bytes without sign times bytes with one, four to a lane, modulo 2^32.
template <int lanes>
struct PlainRegisters {
  struct Type {
    uint32_t at[lanes];
  };
  template <class Of>
  static Type each(const Of& of) {
    Type r;
    for (int i = 0; i < lanes; i++)
      r.at[i] = of(i);
    return r;
  }
  static Type set(int32_t x) {
    return each([&](int) { return uint32_t(x); });
  }
  static Type load(const void* p) {
    Type r;
    std::memcpy(r.at, p, sizeof r.at);
    return r;
  }
  static void store(Type v, void* p) { std::memcpy(p, v.at, sizeof v.at); }
  static Type flip(Type a, Type bits) {
    return each([&](int i) { return a.at[i] ^ bits.at[i]; });
  }
  static Type add(Type a, Type b) {
    return each([&](int i) { return a.at[i] + b.at[i]; });
  }
  static Type subtract(Type a, Type b) {
    return each([&](int i) { return a.at[i] - b.at[i]; });
  }
  static Type dots(Type sums, Type w, Type a) {
    return each([&](int i) {
      uint32_t sum = sums.at[i];
      for (int byte = 0; byte < 4; byte++)
        sum += uint32_t(int32_t(uint8_t(w.at[i] >> 8 * byte)) * int32_t(int8_t(a.at[i] >> 8 * byte)));
      return sum;
    });
  }
};
// As wide as AVX2's and AVX-512's vectors, with as much of them as these products ask for.
struct Plain8 {
  using Dots = VnniDots<PlainRegisters<8>>;
  static constexpr int lanes = 8;
  static constexpr bool hasHalfPanels = false;
};
struct Plain16 {
  using Dots = VnniDots<PlainRegisters<16>>;
  using Half = Plain8;
  static constexpr int lanes = 16;
  static constexpr bool hasHalfPanels = true;
};
template <>
constexpr Tiling tilingOf<Plain8> = [] {
  Tiling t{};
  t.singleBlockAccumulators = t.blockAccumulators = t.largeBlockAccumulators = t.tileAccumulators = 12;
  t.singleBlockPanels = 10;
  t.mr = t.mrOfOneVector = 6;
  return t;
}();
template <>
constexpr Tiling tilingOf<Plain16> = [] {
  Tiling t{};
  t.singleBlockAccumulators = 12, t.blockAccumulators = 8, t.largeBlockAccumulators = 4, t.tileAccumulators = 24;
  t.singleBlockPanels = t.mr = 8;
  t.mrOfOneVector = 6;
  return t;
}();

} // namespace

extern const DotKernels plainVnni8, plainVnni16;

// What would take the place of a table's products on a processor with VNNI; null of others.
const DotKernels* plainVnniOf(const Kernels& kernels);
