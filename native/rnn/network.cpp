// A stack is its layers in packed memory; a call of it is in call.cpp.
#include "network.h"
#include "forward.h"
#include <cstdlib>
#include <new>

namespace native_rnn {
namespace {

float* allocate(size_t floats) {
  // Room for the alignment and for what free() needs back.
  void* raw = std::malloc(floats * sizeof(float) + 64 + sizeof(void*));
  if (!raw)
    throw std::bad_alloc();
  const uintptr_t at = (reinterpret_cast<uintptr_t>(raw) + sizeof(void*) + 63) & ~uintptr_t(63);
  reinterpret_cast<void**>(at)[-1] = raw;
  return reinterpret_cast<float*>(at);
}

void release(float* memory) {
  if (memory)
    std::free(reinterpret_cast<void**>(memory)[-1]);
}

} // namespace

Scratch::~Scratch() { release(data_); }

float* Scratch::floats(size_t count) {
  if (count > capacity_) {
    float* larger = allocate(count);
    release(data_);
    data_ = larger;
    capacity_ = count;
  }
  return data_;
}

size_t Network::packedFloats(const NetworkSpec& spec, const Kernels& kernels) {
  const size_t D = spec.directions();
  size_t offset = 0;
  for (size_t l = 0; l < spec.numLayers; l++)
    for (size_t d = 0; d < D; d++)
      PackedLayer(spec, l ? D * spec.outputSize() : spec.inputSize, kernels, nullptr, offset);
  return offset;
}

Network::Network(const NetworkSpec& spec, const Kernels& kernels, float* memory) : spec_(spec), kernels_(kernels) {
  const size_t D = spec.directions();
  size_t offset = 0;
  layers_.reserve(spec.numLayers * D);
  for (size_t l = 0; l < spec.numLayers; l++)
    for (size_t d = 0; d < D; d++)
      layers_.emplace_back(spec, l ? D * spec.outputSize() : spec.inputSize, kernels, memory, offset);
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
