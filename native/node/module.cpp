// The Node-API module: which kernels there are, and how networks and linear layers come into being. lib/native.ts is
// its only caller. Knows no arithmetic.
#include "../kernels/dispatch.h"
#include "../rnn/thread_cost.h"
#include "../spec/random.h"
#include "completions.h"
#include "linear.h"
#include "network.h"
#include <napi.h>

using namespace native_rnn;

namespace {

Environment& environmentOf(napi_env env) {
  void* environment = nullptr;
  check(napi_get_instance_data(env, &environment));
  if (!environment)
    throwInvalid("setUp() has not been called");
  return *static_cast<Environment*>(environment);
}

// The same for node-addon-api's functions, whose exceptions are its own.
template <napi_value (*body)(const Napi::CallbackInfo&)>
Napi::Value entry(const Napi::CallbackInfo& info) {
  return Napi::Value(info.Env(), guarded(info.Env(), [&] { return body(info); }));
}

size_t whole(const Napi::Value& value, size_t least, size_t most) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= static_cast<double>(least) && number <= static_cast<double>(most)))
    throwInvalid("a number is out of range");
  return static_cast<size_t>(number);
}

const Kernels& kernelsAt(const Napi::Value& index) {
  size_t count;
  const Kernels* const* const tables = kernelTables(count);
  const Kernels& kernels = *tables[whole(index, 0, count - 1)];
  if (!runsHere(kernels))
    throwInvalid("this processor cannot run these kernels");
  return kernels;
}

// cell, direction, I, H, P, L, bias: as in lib/native.ts
NetworkSpec specOf(const Napi::Value& value) {
  if (!value.IsArray())
    throwInvalid("a specification is missing");
  const Napi::Array numbers = value.As<Napi::Array>();
  const auto at = [&](uint32_t index, size_t least, size_t most) { return whole(numbers.Get(index), least, most); };
  NetworkSpec spec{};
  spec.cell = static_cast<CellKind>(at(0, 0, cellKinds - 1));
  spec.direction = static_cast<Direction>(at(1, 0, 2));
  spec.inputSize = at(2, 1, 1 << 20);
  spec.hiddenSize = at(3, 1, 1 << 20);
  spec.projSize = at(4, 0, 1 << 20);
  spec.numLayers = at(5, 1, 64);
  spec.bias = at(6, 0, 1) == 1;
  return spec;
}

// The first multiple of 64 bytes in a buffer that is 64 bytes larger than what it holds.
float* packedMemory(const Napi::Value& view, size_t packedFloats) {
  float* const data = floats(view.Env(), view, packedFloats + 16);
  return reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(data) + 63) / 64 * 64);
}

// Once an environment: header, arena, settle, threads, whether they share even what is not worth it.
napi_value setUp(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const size_t threads = whole(info[3], 1, 65536);
  if (!info[2].IsFunction())
    throwInvalid("a function is missing");
  size_t length;
  int32_t* const header = elements<int32_t>(env, info[0], napi_int32_array, length);
  if (length < headerLength)
    throwInvalid("the header is too short");
  float* const arena = elements<float>(env, info[1], napi_float32_array, length);
  void* before = nullptr; // where an earlier attempt found no memory
  check(napi_get_instance_data(env, &before));
  Environment* const environment = before ? static_cast<Environment*>(before) : new Environment(env);
  const auto finalize = [](napi_env, void* environment, void*) { static_cast<Environment*>(environment)->release(); };
  if (!before && napi_set_instance_data(env, environment, finalize, nullptr) != napi_ok) {
    environment->release();
    throw Pending{};
  }
  if (environment->isOpen())
    throwInvalid("setUp() has been called");
  environment->header = header;
  environment->arena = arena;
  environment->arenaFloats = length;
  Pool::shared().limit(threads);
  if (info[4].ToBoolean())
    alwaysShareWork();
  const napi_value calls = functionOf(std::make_unique<CallsFunction>(*environment));
  keep(env, calls, "header", info[0]);
  keep(env, calls, "arena", info[1]);
  environment->openNotifier(info[2]);
  return calls;
}

// [{ name, usable }], best first
napi_value tables(const Napi::CallbackInfo& info) {
  size_t count;
  const Kernels* const* const tables = kernelTables(count);
  Napi::Array list = Napi::Array::New(info.Env(), count);
  for (size_t index = 0; index < count; index++) {
    Napi::Object table = Napi::Object::New(info.Env());
    table.Set("name", tables[index]->name);
    table.Set("usable", runsHere(*tables[index]));
    list.Set(static_cast<uint32_t>(index), table);
  }
  return list;
}

// (table, specification) → floats of packed weights
napi_value networkFloats(const Napi::CallbackInfo& info) {
  const Kernels& kernels = kernelsAt(info[0]);
  return Napi::Number::New(info.Env(),
                           static_cast<double>(Network::packedBytes(specOf(info[1]), kernels) / sizeof(float)));
}

// (table, specification, threads, memory, weights or undefined where the memory holds them already)
napi_value network(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const Kernels& kernels = kernelsAt(info[0]);
  const NetworkSpec spec = specOf(info[1]);
  const size_t threads = whole(info[2], 1, 65536);
  std::vector<MutableCellWeights> plain;
  if (!info[4].IsUndefined())
    plain = weightPointers(env, info[4], spec);
  const size_t packedFloats = Network::packedBytes(spec, kernels) / sizeof(float);
  float* const memory = packedMemory(info[3], packedFloats);
  NetworkWeights* const weights =
      new NetworkWeights(environmentOf(env), spec, kernels, memory, packedFloats * sizeof(float), threads);
  const WeightsRef ref(*weights);
  check(napi_create_reference(env, info[3], 0, &weights->pin));
  if (plain.empty()) {
    weights->shared = true;
  } else {
    std::vector<CellWeights> cells;
    for (const MutableCellWeights& cell : plain) {
      cells.push_back({cell.weightIh, cell.weightHh, cell.biasIh, cell.biasHh, cell.weightHr, cell.peephole});
    }
    weights->network.pack(cells.data());
    weights->count();
  }
  const napi_value function = functionOf(std::make_unique<NetworkFunction>(weights->environment, ref));
  keep(env, function, "memory", info[3]);
  return function;
}

// (table, in, out) → floats of packed weights
napi_value linearFloats(const Napi::CallbackInfo& info) {
  const Kernels& kernels = kernelsAt(info[0]);
  const size_t in = whole(info[1], 1, 1 << 20), out = whole(info[2], 1, 1 << 20);
  return Napi::Number::New(info.Env(), static_cast<double>(Linear::packedBytes(in, out, kernels) / sizeof(float)));
}

// (table, in, out, memory, weight, bias or undefined)
napi_value linear(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const Kernels& kernels = kernelsAt(info[0]);
  const size_t in = whole(info[1], 1, 1 << 20), out = whole(info[2], 1, 1 << 20);
  const size_t packedFloats = Linear::packedBytes(in, out, kernels) / sizeof(float);
  float* const memory = packedMemory(info[3], packedFloats);
  const float* const weight = floats(env, info[4], in * out);
  const float* const bias = info[5].IsUndefined() ? nullptr : floats(env, info[5], out);
  auto layer =
      std::make_unique<LinearFunction>(environmentOf(env), in, out, kernels, memory, packedFloats * sizeof(float));
  layer->pack(weight, bias);
  const napi_value function = functionOf(std::move(layer));
  keep(env, function, "memory", info[3]);
  return function;
}

// (state of the generator, target, begin, end, bound): random weights
napi_value uniform(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  if (!info[4].IsNumber())
    throwInvalid("a bound is missing");
  const double bound = info[4].As<Napi::Number>().DoubleValue();
  size_t stateLength, length;
  int32_t* const given = elements<int32_t>(env, info[0], napi_int32_array, stateLength);
  float* const target = elements<float>(env, info[1], napi_float32_array, length);
  if (stateLength != 4)
    throwInvalid("the state of the generator has the wrong length");
  const size_t end = whole(info[3], 0, length), begin = whole(info[2], 0, end);
  uint32_t state[4];
  std::copy_n(given, 4, state);
  fillUniform(state, target + begin, end - begin, bound);
  std::copy_n(state, 4, given);
  return nullptr;
}

Napi::Object start(Napi::Env env, Napi::Object exports) {
  exports.Set("setUp", Napi::Function::New<entry<setUp>>(env));
  exports.Set("tables", Napi::Function::New<entry<tables>>(env));
  exports.Set("networkFloats", Napi::Function::New<entry<networkFloats>>(env));
  exports.Set("network", Napi::Function::New<entry<network>>(env));
  exports.Set("uniform", Napi::Function::New<entry<uniform>>(env));
  exports.Set("linearFloats", Napi::Function::New<entry<linearFloats>>(env));
  exports.Set("linear", Napi::Function::New<entry<linear>>(env));
  return exports;
}

} // namespace

NODE_API_MODULE(native_rnn, start)
