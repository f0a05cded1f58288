// Random numbers for initial weights, the very ones of lib/random.ts, where they are explained.
#pragma once
#include <cstddef>
#include <cstdint>

namespace native_rnn {

// Writes `count` numbers in [−bound, bound) and moves the state on.
inline void fillUniform(uint32_t (&state)[4], float* to, size_t count, double bound) {
  const auto turn = [](uint32_t x, int by) { return (x << by) | (x >> (32 - by)); };
  const double scale = bound / 8388608.0;
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
  for (size_t i = 0; i < count; i++) {
    to[i] = static_cast<float>((static_cast<double>((turn(b * 5, 7) * 9) >> 8) - 8388608.0) * scale);
    const uint32_t shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = turn(d, 11);
  }
  state[0] = a, state[1] = b, state[2] = c, state[3] = d;
}

} // namespace native_rnn
