// A stack is its layers in packed memory; a call of it is in call.cpp.
#include "network.h"
#include "forward.h"

namespace native_rnn {
size_t Network::packedFloats(const NetworkSpec& spec, const Kernels& kernels) {
  const size_t D = spec.directions();
  size_t offset = 0;
  for (size_t l = 0; l < spec.numLayers; l++)
    for (size_t d = 0; d < D; d++)
      PackedLayer(spec, spec.layerInputs(l), kernels, nullptr, offset);
  return offset;
}

Network::Network(const NetworkSpec& spec, const Kernels& kernels, float* memory) : spec_(spec), kernels_(kernels) {
  const size_t D = spec.directions();
  size_t offset = 0;
  layers_.reserve(spec.numLayers * D);
  for (size_t l = 0; l < spec.numLayers; l++)
    for (size_t d = 0; d < D; d++)
      layers_.emplace_back(spec, spec.layerInputs(l), kernels, memory, offset);
}

Network::~Network() = default;

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
