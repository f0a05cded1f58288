// A network as a function: without an operation it is one forward pass on arrays in the arena.
#pragma once
#include "batch.h"
#include "stream.h"
#include <cstring>

namespace native_rnn {

// The plain weights of one cell, in the order of an array's elements.
constexpr size_t weightKinds = 6;
inline void weightLengths(const NetworkSpec& spec, size_t layer, size_t (&lengths)[weightKinds]) {
  static constexpr size_t gates[cellKinds] = {1, 1, 3, 3, 4, 4};
  const size_t rows = gates[static_cast<size_t>(spec.cell)] * spec.hiddenSize, O = spec.outputSize();
  lengths[0] = rows * (layer == 0 ? spec.inputSize : spec.directions() * O);
  lengths[1] = rows * O;
  lengths[2] = lengths[3] = spec.bias ? rows : 0;
  lengths[4] = spec.projSize * spec.hiddenSize;
  lengths[5] = spec.cell == CellKind::lstmPeephole ? 3 * spec.hiddenSize : 0;
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

class NetworkFunction final : public Bound {
public:
  enum Op : int32_t { opForwardArena, opForward, opWeights, opStream, opStart, opBatch, opShare, opDispose };

  NetworkFunction(Edge& edge, const Use& use) : Bound(edge), use_(use) { charge(emptiedCost(use->bytes)); }

  napi_value call(napi_callback_info info) {
    const int32_t op = edge.takeOp();
    if (op == opDispose) {
      use_.dispose();
      return nullptr;
    }
    Weights& weights = use_.get();
    switch (op) {
    case opForwardArena: {
      const ForwardCall call = Shape(edge, weights).over(Cutter(edge.arena, edge.arenaFloats));
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
      return keeping(functionOf(std::make_unique<BatchFunction>(edge, use_)));
    case opShare:
      weights.shared = true;
      return nullptr;
    default:
      wrong("no such operation");
    }
  }

private:
  void run(const Weights& weights, const ForwardCall& call) {
    Shape::checkLengths(call);
    weights.stack.forward(call, *edge.scratch);
    edge.trimScratch();
  }

  // x, h0, c0, lengths of a call, checked.
  ForwardCall inputs(const Shape& shape, const napi_value* given) {
    ForwardCall call = shape.empty();
    call.x = floats(edge.env, given[0], shape.all.x);
    if (shape.flags & Shape::initialH)
      call.h0 = floats(edge.env, given[1], shape.all.h);
    if (shape.flags & Shape::initialC)
      call.c0 = floats(edge.env, given[2], shape.all.c);
    if (shape.flags & Shape::rowLengths) {
      size_t rows;
      call.lengths = elements<int32_t>(edge.env, given[3], napi_int32_array, rows);
      if (rows != shape.B)
        wrong("an array has the wrong length");
    }
    return call;
  }

  void forward(const Weights& weights, napi_callback_info info) {
    const Shape shape(edge, weights);
    const Arguments<7> given(edge.env, info); // x, h0, c0, lengths, y, hn, cn
    ForwardCall call = inputs(shape, given.values);
    if (shape.flags & Shape::output)
      call.y = floats(edge.env, given[4], shape.all.y);
    call.hn = floats(edge.env, given[5], shape.all.h);
    if (shape.all.c)
      call.cn = floats(edge.env, given[6], shape.all.c);
    run(weights, call);
  }

  // The same on the pool: the inputs are copied now, as JavaScript may do anything to them afterwards.
  void start(Weights&, napi_callback_info info) {
    const Shape shape(edge, use_.get());
    const Arguments<4> given(edge.env, info);
    const ForwardCall from = inputs(shape, given.values);
    Shape::checkLengths(from);
    auto call = std::make_unique<WeightsCall>(use_, shape.floats());
    call->arrays = shape.over(Cutter(call->buffer.data(), call->buffer.size()));
    copy(call->arrays.x, from.x, shape.all.x);
    copy(call->arrays.h0, from.h0, shape.h0());
    copy(call->arrays.c0, from.c0, shape.c0());
    copy(call->arrays.lengths, from.lengths, shape.lengths());
    edge.header[placeSlot] = static_cast<int32_t>(edge.submit(std::move(call)));
  }
  template <class Element>
  static void copy(const Element* to, const Element* from, size_t count) {
    if (count)
      std::memcpy(const_cast<Element*>(to), from, count * sizeof(Element));
  }

  void unpack(const Weights& weights, napi_callback_info info) {
    const Arguments<1> given(edge.env, info);
    weights.stack.unpack(weightPointers(edge.env, given[0], weights.stack.spec()).data());
  }

  // input and output, over one SharedArrayBuffer
  napi_value stream(const Weights& weights, napi_callback_info info) {
    const size_t B = edge.number(placeB);
    const CallLengths lengths = callLengths(weights.stack.spec(), 1, B);
    const Arguments<2> given(edge.env, info);
    float* const input = floats(edge.env, given[0], lengths.x);
    float* const output = floats(edge.env, given[1], lengths.y);
    auto stream = std::make_unique<StreamFunction>(edge, use_, B, input, output);
    edge.header[placeSlot] = static_cast<int32_t>(stream->slot());
    const napi_value function = keeping(functionOf(std::move(stream)));
    keep(edge.env, function, "input", given[0]);
    return function;
  }

  napi_value keeping(napi_value function) {
    napi_value view;
    check(napi_get_reference_value(edge.env, use_->pin, &view));
    keep(edge.env, function, "memory", view);
    return function;
  }

  Use use_;
};

} // namespace native_rnn
