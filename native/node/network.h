// A network as a function: without an operation it is one forward pass on arrays in the arena.
#pragma once
#include "../protocol/weight_list.h"
#include "batch.h"
#include "stream.h"
#include <cstring>

namespace native_rnn {

// Reads a list of typed arrays, undefined where there is none: all elements first, then pointers.
inline std::vector<float*> readWeightList(napi_env env, napi_value list, const NetworkSpec& spec) {
  const auto values = readList<napi_value>(env, list, weightListLength(spec), [](napi_value value) { return value; });
  std::vector<float*> weights(values.size());
  for (size_t index = 0; index < values.size(); index++) {
    const size_t length = weightLength(spec, index);
    const bool isLeftOut = !length || (isOptional(index) && isUndefined(env, values[index]));
    weights[index] = isLeftOut ? nullptr : floats(env, values[index], length);
  }
  return weights;
}

template <class Float>
std::vector<CellWeightsOf<Float>> cellsOfWeightList(const std::vector<float*>& list) {
  std::vector<CellWeightsOf<Float>> cells;
  cells.reserve(list.size() / weightFields);
  for (size_t index = 0; index < list.size(); index += weightFields)
    cells.push_back(cellWeights<Float>(&list[index]));
  return cells;
}

class NetworkFunction final : public BoundObject {
public:
  NetworkFunction(Environment& environment, const WeightsRef& weights) : BoundObject(environment), weights_(weights) {
    charge(emptiedCost(weights->bytes));
  }

  napi_value call(napi_callback_info info) {
    const NetworkOp op = environment.header.takeOp<NetworkOp>();
    if (op == NetworkOp::dispose) {
      weights_.dispose();
      return nullptr;
    }
    NetworkWeights& weights = weights_.get();
    switch (op) {
    case NetworkOp::forwardArena:
      run(weights, request(weights).over(environment.arena()));
      return nullptr;
    case NetworkOp::forward:
      forward(weights, info);
      return nullptr;
    case NetworkOp::weights:
      unpack(weights, info);
      return nullptr;
    case NetworkOp::stream:
      return stream(weights, info);
    case NetworkOp::start:
      start(weights, info);
      return nullptr;
    case NetworkOp::batch:
      return weights.heldBy(functionOf(std::make_unique<BatchFunction>(environment, weights_)));
    case NetworkOp::share:
      weights.shared = true;
      return nullptr;
    default:
      throwInvalid("no such operation");
    }
  }

private:
  ForwardRequest request(const NetworkWeights& weights) const {
    return ForwardRequest(environment.header, weights.network.spec(), weights.threads);
  }

  void run(const NetworkWeights& weights, const ForwardCall& call) {
    checkLengths(call);
    weights.network.forward(call, *environment.scratch);
    environment.trimScratch();
  }

  // x, h0, c0, lengths of a call, checked.
  ForwardCall inputs(const ForwardRequest& request, const napi_value* given) const {
    const napi_env env = environment.env;
    ForwardCall call = request.empty();
    call.x = floats(env, given[0], request.all.x);
    if (request.has(ForwardFlag::h0))
      call.h0 = floats(env, given[1], request.all.h);
    if (request.has(ForwardFlag::c0))
      call.c0 = floats(env, given[2], request.all.c);
    if (request.has(ForwardFlag::lengths))
      call.lengths = elementsOf<int32_t>(env, given[3], request.B);
    return call;
  }

  // y, hn, cn of a call, checked.
  void results(const ForwardRequest& request, const napi_value* given, ForwardCall& call) const {
    const napi_env env = environment.env;
    if (request.has(ForwardFlag::output))
      call.y = floats(env, given[0], request.all.y);
    call.hn = floats(env, given[1], request.all.h);
    if (request.all.c)
      call.cn = floats(env, given[2], request.all.c);
  }

  void forward(const NetworkWeights& weights, napi_callback_info info) {
    const ForwardRequest request = this->request(weights);
    const Arguments<7> given(environment.env, info); // x, h0, c0, lengths, y, hn, cn
    ForwardCall call = inputs(request, given.values);
    results(request, given.values + 4, call);
    run(weights, call);
  }

  // The same on the pool: the inputs are copied now, as JavaScript may do anything to them afterwards. Results go into
  // arrays that no script has before the call is done, or where there are none stay in the call's own memory.
  void start(const NetworkWeights& weights, napi_callback_info info) {
    const napi_env env = environment.env;
    const ForwardRequest request = this->request(weights);
    const Arguments<7> given(env, info); // x, h0, c0, lengths, and maybe y, hn, cn
    const ForwardCall from = inputs(request, given.values);
    checkLengths(from);
    const bool outside = !isUndefined(env, given[5]);
    ForwardCall into{};
    if (outside)
      results(request, given.values + 4, into);
    auto call = std::make_unique<NetworkCall>(weights_, outside ? request.inputFloats() : request.floats());
    ArenaCursor memory(call->buffer.data(), call->buffer.size());
    if (outside) {
      call->arrays = request.inputsOver(memory);
      call->arrays.y = into.y, call->arrays.hn = into.hn, call->arrays.cn = into.cn;
      const auto keep = [&](const float* used, napi_value array) { return used ? MemoryRef(env, array) : MemoryRef(); };
      call->writeTo(keep(into.y, given[4]), keep(into.hn, given[5]), keep(into.cn, given[6]));
    } else {
      call->arrays = request.over(memory);
    }
    copy(call->arrays.x, from.x, request.all.x);
    copy(call->arrays.h0, from.h0, request.h0());
    copy(call->arrays.c0, from.c0, request.c0());
    copy(call->arrays.lengths, from.lengths, request.lengths());
    environment.header.answer(environment.submit(std::move(call)));
  }
  template <class Element>
  static void copy(const Element* to, const Element* from, size_t count) {
    if (count)
      std::memcpy(const_cast<Element*>(to), from, count * sizeof(Element));
  }

  void unpack(const NetworkWeights& weights, napi_callback_info info) {
    const Arguments<1> given(environment.env, info);
    const std::vector<float*> list = readWeightList(environment.env, given[0], weights.network.spec());
    weights.network.unpack(cellsOfWeightList<float>(list).data());
  }

  // input and output, over one SharedArrayBuffer; the stream's slot goes to the header.
  napi_value stream(const NetworkWeights& weights, napi_callback_info info) {
    const napi_env env = environment.env;
    const size_t B = environment.header.size(HeaderField::B);
    const CallLengths lengths = callLengths(weights.network.spec(), 1, B);
    const Arguments<2> given(env, info);
    float* const input = floats(env, given[0], lengths.x);
    float* const output = floats(env, given[1], lengths.y);
    auto stream = std::make_unique<StreamFunction>(environment, weights_, B, input, output);
    environment.header.answer(stream->slot());
    const napi_value function = weights.heldBy(functionOf(std::move(stream)));
    hold(env, function, "input", given[0]);
    hold(env, function, "output", given[1]);
    return function;
  }

  WeightsRef weights_;
};

} // namespace native_rnn
