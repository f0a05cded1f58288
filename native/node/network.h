// A network as a function: without an operation it is one forward pass on arrays in the arena.
#pragma once
#include "batch.h"
#include "stream.h"
#include <cstring>

namespace native_rnn {

// The plain weights of one cell, in the order of an array's elements.
constexpr size_t weightKinds = 6;
inline void weightLengths(const NetworkSpec& spec, size_t layer, size_t (&lengths)[weightKinds]) {
  const size_t rows = spec.traits().gates * spec.hiddenSize, O = spec.outputSize();
  lengths[0] = rows * spec.layerInputs(layer);
  lengths[1] = rows * O;
  lengths[2] = lengths[3] = spec.bias ? rows : 0;
  lengths[4] = spec.projSize * spec.hiddenSize;
  lengths[5] = spec.traits().hasPeepholes ? 3 * spec.hiddenSize : 0;
}

// Reads an array of numLayers · D · 6 typed arrays (undefined where there is none): all elements first, then pointers.
inline std::vector<MutableCellWeights> weightPointers(napi_env env, napi_value list, const NetworkSpec& spec) {
  const size_t cells = spec.numLayers * spec.directions();
  std::vector<napi_value> values(cells * weightKinds);
  for (size_t index = 0; index < values.size(); index++) {
    check(napi_get_element(env, list, static_cast<uint32_t>(index), &values[index]));
  }
  std::vector<MutableCellWeights> result(cells);
  for (size_t cell = 0; cell < cells; cell++) {
    size_t lengths[weightKinds];
    weightLengths(spec, cell / spec.directions(), lengths);
    float* data[weightKinds];
    for (size_t kind = 0; kind < weightKinds; kind++) {
      data[kind] = lengths[kind] ? floats(env, values[cell * weightKinds + kind], lengths[kind]) : nullptr;
    }
    result[cell] = {data[0], data[1], data[2], data[3], data[4], data[5]};
  }
  return result;
}

class NetworkFunction final : public BoundObject {
public:
  enum Op : int32_t { opForwardArena, opForward, opWeights, opStream, opStart, opBatch, opShare, opDispose };

  NetworkFunction(Environment& environment, const WeightsRef& weights) : BoundObject(environment), weights_(weights) {
    charge(emptiedCost(weights->bytes));
  }

  napi_value call(napi_callback_info info) {
    const int32_t op = environment.takeOp();
    if (op == opDispose) {
      weights_.dispose();
      return nullptr;
    }
    NetworkWeights& weights = weights_.get();
    switch (op) {
    case opForwardArena: {
      const ForwardCall call =
          ForwardRequest(environment, weights).over(ArenaCursor(environment.arena, environment.arenaFloats));
      run(weights, call);
      return nullptr;
    }
    case opForward:
      forward(weights, info);
      return nullptr;
    case opWeights:
      unpack(weights, info);
      return nullptr;
    case opStream:
      return stream(weights, info);
    case opStart:
      start(weights, info);
      return nullptr;
    case opBatch:
      return keeping(functionOf(std::make_unique<BatchFunction>(environment, weights_)));
    case opShare:
      weights.shared = true;
      return nullptr;
    default:
      throwInvalid("no such operation");
    }
  }

private:
  void run(const NetworkWeights& weights, const ForwardCall& call) {
    ForwardRequest::checkLengths(call);
    weights.network.forward(call, *environment.scratch);
    environment.trimScratch();
  }

  // x, h0, c0, lengths of a call, checked.
  ForwardCall inputs(const ForwardRequest& request, const napi_value* given) {
    ForwardCall call = request.empty();
    call.x = floats(environment.env, given[0], request.all.x);
    if (request.flags & ForwardRequest::initialH)
      call.h0 = floats(environment.env, given[1], request.all.h);
    if (request.flags & ForwardRequest::initialC)
      call.c0 = floats(environment.env, given[2], request.all.c);
    if (request.flags & ForwardRequest::rowLengths) {
      size_t rows;
      call.lengths = elements<int32_t>(environment.env, given[3], napi_int32_array, rows);
      if (rows != request.B)
        throwInvalid("an array has the wrong length");
    }
    return call;
  }

  void forward(const NetworkWeights& weights, napi_callback_info info) {
    const ForwardRequest request(environment, weights);
    const Arguments<7> given(environment.env, info); // x, h0, c0, lengths, y, hn, cn
    ForwardCall call = inputs(request, given.values);
    if (request.flags & ForwardRequest::output)
      call.y = floats(environment.env, given[4], request.all.y);
    call.hn = floats(environment.env, given[5], request.all.h);
    if (request.all.c)
      call.cn = floats(environment.env, given[6], request.all.c);
    run(weights, call);
  }

  // The same on the pool: the inputs are copied now, as JavaScript may do anything to them afterwards.
  void start(NetworkWeights&, napi_callback_info info) {
    const ForwardRequest request(environment, weights_.get());
    const Arguments<4> given(environment.env, info);
    const ForwardCall from = inputs(request, given.values);
    ForwardRequest::checkLengths(from);
    auto call = std::make_unique<NetworkCall>(weights_, request.floats());
    call->arrays = request.over(ArenaCursor(call->buffer.data(), call->buffer.size()));
    copy(call->arrays.x, from.x, request.all.x);
    copy(call->arrays.h0, from.h0, request.h0());
    copy(call->arrays.c0, from.c0, request.c0());
    copy(call->arrays.lengths, from.lengths, request.lengths());
    environment.header[fieldSlot] = static_cast<int32_t>(environment.submit(std::move(call)));
  }
  template <class Element>
  static void copy(const Element* to, const Element* from, size_t count) {
    if (count)
      std::memcpy(const_cast<Element*>(to), from, count * sizeof(Element));
  }

  void unpack(const NetworkWeights& weights, napi_callback_info info) {
    const Arguments<1> given(environment.env, info);
    weights.network.unpack(weightPointers(environment.env, given[0], weights.network.spec()).data());
  }

  // input and output, over one SharedArrayBuffer
  napi_value stream(const NetworkWeights& weights, napi_callback_info info) {
    const size_t B = environment.number(fieldB);
    const CallLengths lengths = callLengths(weights.network.spec(), 1, B);
    const Arguments<2> given(environment.env, info);
    float* const input = floats(environment.env, given[0], lengths.x);
    float* const output = floats(environment.env, given[1], lengths.y);
    auto stream = std::make_unique<StreamFunction>(environment, weights_, B, input, output);
    environment.header[fieldSlot] = static_cast<int32_t>(stream->slot());
    const napi_value function = keeping(functionOf(std::move(stream)));
    keep(environment.env, function, "input", given[0]);
    return function;
  }

  napi_value keeping(napi_value function) {
    napi_value view;
    check(napi_get_reference_value(environment.env, weights_->pin, &view));
    keep(environment.env, function, "memory", view);
    return function;
  }

  WeightsRef weights_;
};

} // namespace native_rnn
