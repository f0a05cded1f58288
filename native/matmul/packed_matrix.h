// PyTorch-shaped weights → the kernels' layout and back. kernels/matmul/layout.h says where each weight lies.
#pragma once
#include "../kernels/kernels.h"
#include "../kernels/matmul/layout.h"
#include "../platform/memory.h"

namespace native_rnn {

// Packed memory while it is laid out: everything begins at a cache line.
class PackedArena {
public:
  // Where so many bytes go, from the beginning of the memory.
  size_t reserve(size_t bytes);
  size_t bytes() const { return used_; }

private:
  size_t used_ = 0;
};

// A matrix of N outputs × G gates × K inputs in packed memory, and its bias.
class PackedMatrix {
public:
  PackedMatrix() = default;
  // `rounding`: what float32 weights are rounded to before they are packed.
  PackedMatrix(size_t N, size_t G, size_t K, int kSplitsLog2, WeightType, const Kernels&, PackedArena&,
               WeightType rounding = WeightType::f32);

  size_t outputs() const { return N_; }
  size_t gates() const { return G_; }
  size_t inputs() const { return K_; }
  // Floats from one packed row to the next.
  size_t packedRow() const { return roundUp(paddedUnits() * G_, lanes_); }
  // How many weights there are, padding of outputs included.
  size_t weightCount() const { return packedRow() * K_; }
  // Without biases and scales.
  size_t weightBytes() const { return packedRow() * groups() * weightTypeTraits(type_).groupBytes; }
  bool hasScales() const { return weightTypeTraits(type_).hasScales || weightTypeTraits(rounding_).hasScales; }
  const EvenSplit& blocks() const { return blocks_; } // of whole panels
  int kSplitsLog2() const { return kSplitsLog2_; }
  PackedView view(const void* memory) const;

  // Rounded to the weight type; unpack() gives what is kept.
  // Gates [firstGate, firstGate + G) of a plain (gates · N, K) matrix, of its bias, and of the scales of its rows; a
  // null bias is zeros, null scales are those that the weights ask for.
  void pack(const float* plain, const float* bias, size_t firstGate, void* memory, const float* scales = nullptr) const;
  void unpack(float* plain, float* bias, size_t firstGate, const void* memory, float* scales = nullptr) const;

private:
  size_t paddedUnits() const { return panels_ * lanes_ + tailHalf_ * lanes_ / 2; }
  bool asksAhead() const;
  // Of weights that lie together, along K.
  size_t groups() const { return (K_ + weightTypeTraits(type_).groupSize - 1) / weightTypeTraits(type_).groupSize; }
  // Where the weights of gate g of output n begin, and the steps to their next k: in groups from the matrix's first.
  struct Column {
    size_t first, stride;
  };
  Column columnOf(size_t g, size_t n) const;
  // One row of plain weights; `scale` where weights have scales.
  void packRow(const float* row, float scale, const Column&, char* weights) const;
  void unpackRow(float* row, float scale, const Column&, const char* weights) const;
  size_t offsetInRow(size_t g, size_t n) const;

  size_t N_ = 0, G_ = 0, K_ = 0;
  int kSplitsLog2_ = 0;
  WeightType type_ = WeightType::f32, rounding_ = WeightType::f32;
  size_t lanes_ = 1, panels_ = 0; // whole ones
  const DotKernels* dots_ = nullptr;
  EvenSplit blocks_{};
  bool tailHalf_ = false;                                        // half a panel follows
  size_t weightsOffset_ = 0, biasOffset_ = 0, scalesOffset_ = 0; // in packed memory, bytes
};

// log2 of the k-splits of a product of G gates and N outputs: a function of the sizes alone, so that the bits are the
// same on every instruction set. Short layers need several accumulators an output to hide the latency of fma.
// Exact sums have the same in any order, and no splits.
int kSplitsLog2For(size_t G, size_t N, WeightType = WeightType::f32);

} // namespace native_rnn
