// AVX-VNNI: 256 bits of sums.
#pragma once
#include "integers8.h"

namespace {

struct AvxVnni8 : Integers8 {
  static RNN_INLINE Type dots(Type sums, Type w, Type a) { return _mm256_dpbusd_avx_epi32(sums, w, a); }
};

} // namespace
