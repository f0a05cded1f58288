// The time that passes, for measuring how long threads take for each other. WebAssembly asks for none: it has one
// thread.
#pragma once
#if defined(__wasm__)
#include <cstdint>
#else
#include <chrono>
#endif

namespace native_rnn {

// Nanoseconds since some moment.
#if defined(__wasm__)
inline double nanoseconds() { return 0; }
#else
inline double nanoseconds() {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
#endif

} // namespace native_rnn
