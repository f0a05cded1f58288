// The arrays and numbers of one forward call.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace native_rnn {

// All arrays are dense and of exactly the length that the sizes ask for.
struct ForwardCall {
  const float* x; // (T, B, I), or (B, T, I)
  size_t T, B;
  bool batchFirst;
  const float* h0;                              // (D·L, B, O) or null for zeros
  const float* c0;                              // (D·L, B, H) or null
  const int32_t* lengths;                       // (B) or null
  float* y;                                     // (T, B, D·O) or (B, T, D·O), or null; written in full
  float* hn;                                    // (D·L, B, O)
  float* cn;                                    // (D·L, B, H); null where the cell has none
  const std::atomic<bool>* cancelled = nullptr; // read at every time step or chunk
  size_t threads = 1;                           // that it may use
};

} // namespace native_rnn
