// Layers × directions of one network: states in and out, time cut into chunks. Knows no Node and no intrinsics.
#pragma once
#include "../kernels/kernels.h"
#include <atomic>
#include <vector>

namespace native_rnn {

enum class Direction : uint8_t { forward, reverse, bidirectional };

struct NetworkSpec {
  CellKind cell;
  Direction direction;
  size_t inputSize, hiddenSize, projSize, numLayers; // projSize 0: none
  bool bias;
  size_t directions() const { return direction == Direction::bidirectional ? 2 : 1; }
  size_t outputSize() const { return projSize ? projSize : hiddenSize; }
};

// Plain PyTorch-shaped weights of one layer and direction; null where there is none.
template <class Float>
struct CellWeightsOf {
  Float *weightIh, *weightHh, *biasIh, *biasHh, *weightHr, *peephole;
};
using CellWeights = CellWeightsOf<const float>;
using MutableCellWeights = CellWeightsOf<float>;

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
  bool forward(const ForwardCall&, class Scratch&) const;

private:
  friend class Stream;
  NetworkSpec spec_;
  const Kernels& kernels_;
  std::vector<PackedLayer> layers_; // index l·D + d
};

// Grows to what the largest call so far needed; 64-byte aligned.
class Scratch {
public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();
  float* floats(size_t count); // valid until the next call; throws std::bad_alloc
  size_t bytes() const { return capacity_ * sizeof(float); }

private:
  float* data_ = nullptr;
  size_t capacity_ = 0;
};

} // namespace native_rnn
