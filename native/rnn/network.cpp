// A network is its layers in packed memory; a call of it is in forward.cpp.
#include "network.h"
#include "forward.h"

namespace native_rnn {
namespace {

std::vector<PackedLayer> layersOf(const NetworkSpec& spec, const Kernels& kernels, PackedArena& arena) {
  std::vector<PackedLayer> layers;
  layers.reserve(spec.numLayers * spec.directions());
  for (size_t l = 0; l < spec.numLayers; l++)
    for (size_t d = 0; d < spec.directions(); d++)
      layers.emplace_back(spec, l, d, kernels, arena);
  // A length of its own for each precision, that memory of another is not taken for it: small layers look alike.
  arena.reserve(64 * size_t(spec.precision.packed()));
  return layers;
}

} // namespace

size_t Network::packedBytes(const NetworkSpec& spec, const Kernels& kernels) {
  PackedArena arena;
  layersOf(spec, kernels, arena);
  return arena.bytes();
}

Network::Network(const NetworkSpec& spec, const Kernels& kernels, void* memory) : spec_(spec), kernels_(kernels) {
  PackedArena arena;
  layers_ = layersOf(spec, kernels, arena);
  for (PackedLayer& layer : layers_)
    layer.setMemory(memory);
}

void Network::pack(const CellWeights* weights) {
  for (size_t i = 0; i < layers_.size(); i++)
    layers_[i].pack(weights[i]);
}

void Network::unpack(const MutableCellWeights* weights) const {
  for (size_t i = 0; i < layers_.size(); i++)
    layers_[i].unpack(weights[i]);
}

bool Network::forward(const ForwardCall& given, Scratch& scratch) const {
  Forward call(given, spec_, layers_);
  return call.run(scratch.floats(call.floats()));
}

} // namespace native_rnn
