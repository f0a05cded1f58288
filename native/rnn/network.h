// The layers and directions of one network on packed weights. Knows no Node and no intrinsics.
#pragma once
#include "../kernels/kernels.h"
#include "../platform/memory.h"
#include "../spec/network_spec.h"
#include "forward_call.h"
#include "packed_layer.h"
#include <vector>

namespace native_rnn {

// Immutable after pack(); any number of threads may run it at once, each with its own Scratch.
class Network {
public:
  // Bytes of packed weights that a network needs with these kernels.
  static size_t packedBytes(const NetworkSpec&, const Kernels&);
  // `memory`: packedBytes bytes, 64-byte aligned, that outlive the network.
  Network(const NetworkSpec&, const Kernels&, void* memory);
  void pack(const CellWeights* weights); // index l·D + d
  void packLayer(size_t index, const CellWeights& weights) { layers_[index].pack(weights); }
  void unpack(const MutableCellWeights* weights) const;
  const NetworkSpec& spec() const { return spec_; }
  const Kernels& kernels() const { return kernels_; }
  // False when it was cancelled; outputs are then undefined. Throws std::bad_alloc before anything is written.
  bool forward(const ForwardCall&, Scratch&) const;

  // Index l·D + d.
  const std::vector<PackedLayer>& layers() const { return layers_; }

private:
  NetworkSpec spec_;
  const Kernels& kernels_;
  std::vector<PackedLayer> layers_;
};

} // namespace native_rnn
