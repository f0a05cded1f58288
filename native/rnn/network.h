// Layers × directions of one network: states in and out, time cut into chunks. Knows no Node and no intrinsics.
#pragma once
#include "../kernels/kernels.h"
#include "../platform/memory.h"
#include "../spec/network_spec.h"
#include <atomic>
#include <vector>

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
  size_t threads = 1;
};

class PackedLayer;

// Immutable after pack(); any number of threads may run it at once, each with its own Scratch.
class Network {
public:
  // Floats of packed weights that a network needs with these kernels.
  static size_t packedFloats(const NetworkSpec&, const Kernels&);
  // `memory`: packedFloats floats, 64-byte aligned, that outlive the stack.
  Network(const NetworkSpec&, const Kernels&, float* memory);
  ~Network();
  void pack(const CellWeights* weights); // index l·D + d
  void unpack(const MutableCellWeights* weights) const;
  const NetworkSpec& spec() const { return spec_; }
  const Kernels& kernels() const { return kernels_; }
  // False when it was cancelled; outputs are then undefined. Throws std::bad_alloc before anything is written.
  bool forward(const ForwardCall&, Scratch&) const;

private:
  friend class Stream;
  NetworkSpec spec_;
  const Kernels& kernels_;
  std::vector<PackedLayer> layers_; // index l·D + d
};

} // namespace native_rnn
