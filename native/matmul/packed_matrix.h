// PyTorch-shaped weights → the kernels' layout and back; the one place that knows it beside run.h.
#pragma once
#include "../kernels/kernels.h"

namespace native_rnn {

constexpr size_t roundUp(size_t n, size_t multiple) { return (n + multiple - 1) / multiple * multiple; }
// Floats to the next multiple of 64 bytes.
constexpr size_t aligned(size_t floats) { return roundUp(floats, 16); }

// A matrix of N outputs × G gates × K inputs in packed memory; offsets in floats.
struct Matrix {
  size_t N, G, K;
  int partials;
  size_t lanes, panels, blocks; // whole ones
  bool half;                    // half a panel follows
  size_t weights, start;

  // Floats from one packed row to the next.
  size_t packedRow() const { return roundUp(paddedUnits() * G, lanes); }
  // Floats of its weights, padding included.
  size_t weightFloats() const { return packedRow() * K; }
  size_t paddedUnits() const { return panels * lanes + half * lanes / 2; }
  Product product(const float* memory) const {
    const size_t narrow = blocks ? panels / blocks : 0, wide = blocks ? panels % blocks : 0;
    return {memory + weights, memory + start, K, blocks + half, narrow, wide, half, partials};
  }
  // Gates [firstGate, firstGate + G) of a plain (gates · N, K) matrix and of its bias; a null bias is zeros.
  void pack(const float* plain, const float* bias, size_t firstGate, float* memory) const;
  void unpack(float* plain, float* bias, size_t firstGate, const float* memory) const;

private:
  size_t place(size_t k, size_t g, size_t n) const;
  size_t placeInRow(size_t g, size_t n) const;
};

// Lays a matrix out at `offset` and moves the offset past it; everything begins at a multiple of 64 bytes.
Matrix layOut(size_t N, size_t G, size_t K, int partials, const Kernels& kernels, size_t& offset);

// log2 of the partial sums of a product of G gates and N outputs: a function of the sizes alone, so that the bits
// are the same on every ISA. Short layers need several to hide the latency of fma.
int partialSums(size_t G, size_t N);

} // namespace native_rnn
