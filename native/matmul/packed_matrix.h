// PyTorch-shaped weights → the kernels' layout and back; the one place that knows it beside run.h.
#pragma once
#include "../kernels/kernels.h"
#include "../platform/memory.h"

namespace native_rnn {

// A matrix of N outputs × G gates × K inputs in packed memory; offsets in floats.
struct PackedMatrix {
  size_t N, G, K;
  int kSplitsLog2;
  size_t lanes, panels, blocks;     // whole ones
  bool tailHalf;                    // half a panel follows
  size_t weightsOffset, biasOffset; // in packed memory, floats

  // Floats from one packed row to the next.
  size_t packedRow() const { return roundUp(paddedUnits() * G, lanes); }
  // Floats of its weights, padding included.
  size_t weightFloats() const { return packedRow() * K; }
  size_t paddedUnits() const { return panels * lanes + tailHalf * lanes / 2; }
  PackedView view(const float* memory) const {
    const size_t panelsPerBlock = blocks ? panels / blocks : 0, largerBlocks = blocks ? panels % blocks : 0;
    return {memory + weightsOffset, memory + biasOffset, K,        blocks + tailHalf,
            panelsPerBlock,         largerBlocks,        tailHalf, kSplitsLog2};
  }
  // Gates [firstGate, firstGate + G) of a plain (gates · N, K) matrix and of its bias; a null bias is zeros.
  void pack(const float* plain, const float* bias, size_t firstGate, float* memory) const;
  void unpack(float* plain, float* bias, size_t firstGate, const float* memory) const;

private:
  size_t offsetOf(size_t k, size_t g, size_t n) const;
  size_t offsetInRow(size_t g, size_t n) const;
};

// Lays a matrix out at `offset` and moves the offset past it; everything begins at a multiple of 64 bytes.
PackedMatrix layOut(size_t N, size_t G, size_t K, int kSplitsLog2, const Kernels& kernels, size_t& offset);

// log2 of the partial sums of a product of G gates and N outputs: a function of the sizes alone, so that the bits
// are the same on every ISA. Short layers need several to hide the latency of fma.
int kSplitsLog2For(size_t G, size_t N);

} // namespace native_rnn
