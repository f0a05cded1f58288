// Networks: made in the module's own memory, filled and read a layer at a time, forward calls whole and in pieces.
#include "../platform/failures.h"
#include "../protocol/forward_request.h"
#include "../protocol/spec_numbers.h"
#include "../protocol/weight_list.h"
#include "../rnn/forward_pieces.h"
#include "../rnn/network.h"
#include "../rnn/stream.h"
#include "instance.h"
#include <algorithm>
#include <cstring>

using namespace native_rnn;

namespace {

struct OwnNetwork {
  OwnNetwork(const NetworkSpec& spec, const Kernels& kernels, void* memory, size_t bytes)
      : network(spec, kernels, memory), memory(memory), bytes(bytes) {}
  ~OwnNetwork() { release(memory); }
  Network network;
  void* const memory;
  const size_t bytes;
};

struct OwnStream {
  OwnStream(const Network& network, size_t B, float* memory) : core(network, B), memory(memory) {}
  ~OwnStream() { release(memory); }
  void save() {
    isSaved = false;
    core.readState(h, c);
    isSaved = true;
  }
  Stream core;
  float* const memory; // of all that follows
  float *input, *output;
  float *h, *c; // the state before what is being done, to go back to it
  volatile bool isSaved = false;
};

struct OwnPieces {
  OwnPieces(const ForwardCall& call, const Network& network) : pieces(call, network) {}
  ~OwnPieces() { release(memory); }
  ForwardPieces pieces;
  void* memory = nullptr;
};

NetworkSpec specAt(const double* numbers) {
  double fields[specNumbers];
  std::copy_n(numbers, specNumbers, fields);
  return specFromNumbers(fields);
}

double rounded(size_t n) { return double(roundUp(n, instance().kernels->lanes)); }

// At least what packed weights take: sizes as a 32-bit machine counts them may wrap around.
double mostPackedBytes(const NetworkSpec& spec) {
  double weights = 0;
  for (size_t l = 0; l < spec.numLayers; l++)
    weights +=
        double(spec.traits().gates) * rounded(spec.hiddenSize) * double(spec.layerInputs(l) + spec.outputSize() + 16) +
        rounded(spec.outputSize()) * double(spec.hiddenSize + 16);
  return weights * double(spec.directions()) * sizeof(float);
}

// At least what recurrences of so many rows take, one for each layer.
double mostRecurrenceFloats(const NetworkSpec& spec, double rows) {
  const double width = double(spec.directions() * spec.outputSize()) + 64;
  const double gates = double(spec.traits().gates) * (rounded(spec.hiddenSize) + 64);
  const double states = 5 * (double(spec.hiddenSize + spec.outputSize()) + 64);
  const double chunk = gates + std::max(double(spec.inputSize) + 64, width);
  return double(spec.numLayers) * (rows * (states + chunk) + 64 * chunk + 32 * 8 * gates + 65536);
}

// At least what a call's scratch takes, with what lies between its layers.
double mostScratchBytes(const NetworkSpec& spec, double T, double B) {
  const double width = double(spec.directions() * spec.outputSize()), rows = std::min(B, 128.0);
  const double between =
      spec.numLayers > 1 ? 2 * std::max(T * std::min(rows, 8.0) * width, 4194304.0 + rows * width) : 0;
  return (between + mostRecurrenceFloats(spec, rows) + 2 * B) * sizeof(float);
}

double mostStreamBytes(const NetworkSpec& spec, double B) {
  const double O = double(spec.outputSize()), H = double(spec.hiddenSize), L = double(spec.numLayers);
  return (mostRecurrenceFloats(spec, B) + B * (2 * 64 * O + O + double(spec.inputSize) + L * (O + H) + 64)) *
         sizeof(float);
}

ForwardRequest requestOf(const OwnNetwork& own) { return ForwardRequest(instance().header, own.network.spec(), 1); }

bool fits(const OwnNetwork& own, const ForwardRequest& request) {
  return mostScratchBytes(own.network.spec(), double(request.T), double(request.B)) <= mostBytes;
}

} // namespace

// Bytes of packed weights; 0 where no module's memory holds them.
RNN_EXPORT(networkBytes)(const double* numbers)->size_t {
  const NetworkSpec spec = specAt(numbers);
  return mostPackedBytes(spec) <= mostBytes ? Network::packedBytes(spec, *instance().kernels) : 0;
}
// Floats of a plain array, by its number in the list of weights.
RNN_EXPORT(networkWeightLength)(const OwnNetwork* own, size_t index)->size_t {
  return weightLength(own->network.spec(), index);
}
// With weights yet to come; null where there is no memory.
RNN_EXPORT(networkNew)(const double* numbers)->OwnNetwork* {
  const NetworkSpec spec = specAt(numbers);
  if (mostPackedBytes(spec) > mostBytes || !hasHeadroom())
    return nullptr;
  const size_t bytes = Network::packedBytes(spec, *instance().kernels);
  void* const memory = native_rnn::allocate(double(bytes));
  if (!memory || !hasHeadroom()) {
    native_rnn::release(memory);
    return nullptr;
  }
  return new OwnNetwork(spec, *instance().kernels, memory, bytes);
}
RNN_EXPORT(networkFree)(OwnNetwork* own)->void { delete own; }
RNN_EXPORT(networkMemory)(const OwnNetwork* own)->void* { return own->memory; }
// `list`: the arrays of layer and direction `index`, in the order of WeightField.
RNN_EXPORT(networkPack)(OwnNetwork* own, size_t index, float* const* list)->void {
  own->network.packLayer(index, cellWeights<const float>(list));
}
RNN_EXPORT(networkUnpack)(const OwnNetwork* own, size_t index, float* const* list)->void {
  own->network.layers()[index].unpack(cellWeights<float>(list));
}

// The call that the header tells, over arrays one after the other in `floats` floats. False: there is no memory.
RNN_EXPORT(networkForward)(const OwnNetwork* own, float* memory, size_t floats)->bool {
  const ForwardRequest request = requestOf(*own);
  if (!fits(*own, request))
    return false;
  const ForwardCall call = request.over(ArenaCursor(memory, floats));
  checkLengths(call);
  own->network.forward(call, instance().scratch);
  trimScratch();
  return true;
}

// The same in pieces, on arrays that stay.
RNN_EXPORT(piecesNew)(const OwnNetwork* own, float* memory, size_t floats)->OwnPieces* {
  const ForwardRequest request = requestOf(*own);
  if (!fits(*own, request) || !hasHeadroom())
    return nullptr;
  const ForwardCall call = request.over(ArenaCursor(memory, floats));
  checkLengths(call);
  auto* const pieces = new OwnPieces(call, own->network);
  pieces->memory = native_rnn::allocate(double(pieces->pieces.floats()) * sizeof(float));
  if (pieces->memory)
    return pieces;
  delete pieces;
  return nullptr;
}
RNN_EXPORT(piecesStart)(OwnPieces* own)->void { own->pieces.start(static_cast<float*>(own->memory)); }
RNN_EXPORT(piecesAdvance)(OwnPieces* own)->bool { return own->pieces.advance(); }
RNN_EXPORT(piecesFree)(OwnPieces* own)->void { delete own; }

// B live sequences; null where there is no memory.
RNN_EXPORT(streamNew)(const OwnNetwork* own, double rows)->OwnStream* {
  const NetworkSpec& spec = own->network.spec();
  if (!(mostStreamBytes(spec, rows) <= mostBytes))
    return nullptr;
  const size_t B = static_cast<size_t>(rows);
  const CallLengths lengths = callLengths(spec, 1, B);
  const size_t x = aligned(lengths.x), y = aligned(lengths.y), h = aligned(lengths.h);
  float* const memory = static_cast<float*>(native_rnn::allocate(double(x + y + h + lengths.c) * sizeof(float)));
  // As much as the stream asks for, and given back: then it gets it.
  void* const room =
      memory ? native_rnn::allocate(double(Stream::floats(own->network, B)) * sizeof(float) + 65536) : nullptr;
  native_rnn::release(room);
  if (!room) {
    native_rnn::release(memory);
    return nullptr;
  }
  auto* const stream = new OwnStream(own->network, B, memory);
  stream->input = memory;
  stream->output = memory + x;
  stream->h = memory + x + y;
  stream->c = lengths.c ? memory + x + y + h : nullptr;
  std::fill_n(memory, x + y, 0.0f);
  return stream;
}
RNN_EXPORT(streamFree)(OwnStream* own)->void { delete own; }
RNN_EXPORT(streamInput)(const OwnStream* own)->float* { return own->input; }
RNN_EXPORT(streamOutput)(const OwnStream* own)->float* { return own->output; }
RNN_EXPORT(streamStep)(OwnStream* own)->void {
  own->save();
  own->core.step(own->input, own->output);
  own->isSaved = false;
}
RNN_EXPORT(streamRun)(OwnStream* own, const float* x, size_t T, float* y)->void {
  own->save();
  own->core.run(x, T, y);
  own->isSaved = false;
}
RNN_EXPORT(streamRead)(const OwnStream* own, float* h, float* c)->void { own->core.readState(h, c); }
RNN_EXPORT(streamWrite)(OwnStream* own, const float* h, const float* c)->void {
  own->save();
  own->core.writeState(h, c);
  own->isSaved = false;
}
// The host's stack ended within one of these: the state is again what it was before.
RNN_EXPORT(streamGoBack)(OwnStream* own)->void {
  if (own->isSaved)
    own->core.writeState(own->h, own->c);
  own->isSaved = false;
}
