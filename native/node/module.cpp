// The addon's entry points: which kernels there are, and how networks and operators come into being.
// lib/backends/native/addon.ts has their types. Knows no arithmetic.
#include "../kernels/dispatch.h"
#include "../protocol/spec_numbers.h"
#include "../rnn/thread_cost.h"
#include "../spec/random.h"
#include "completions.h"
#include "network.h"
#include "operator.h"
#include "program.h"
#include <algorithm>
#include <iterator>
#include <napi.h>

using namespace native_rnn;

namespace {

Environment* environmentIn(napi_env env) {
  void* environment = nullptr;
  check(napi_get_instance_data(env, &environment));
  return static_cast<Environment*>(environment);
}

Environment& environmentOf(napi_env env) {
  Environment* const environment = environmentIn(env);
  if (!environment)
    throwInvalid("setUp() has not been called");
  return *environment;
}

const Kernels& kernelsAt(napi_env env, napi_value index) {
  size_t count;
  const Kernels* const* const tables = kernelTables(count);
  const Kernels& kernels = *tables[sizeOf(env, index, 0, count - 1)];
  if (!runsHere(kernels))
    throwInvalid("this processor cannot run these kernels");
  return kernels;
}

NetworkSpec specOf(napi_env env, napi_value list) {
  const auto numbers = readList<double>(env, list, specNumbers, [&](napi_value value) { return numberOf(env, value); });
  double fields[specNumbers];
  std::copy(numbers.begin(), numbers.end(), fields);
  return specFromNumbers(fields);
}

size_t threadsOf(napi_env env, napi_value value) { return sizeOf(env, value, 1, 65536); }

napi_value number(napi_env env, size_t value) {
  napi_value result;
  check(napi_create_double(env, static_cast<double>(value), &result));
  return result;
}

// The first multiple of 64 bytes in a buffer that is 64 bytes larger than what it holds.
float* alignedMemory(float* data) {
  return reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(data) + 63) / 64 * 64);
}
float* packedMemory(napi_env env, napi_value view, size_t packedFloats) {
  return alignedMemory(floats(env, view, packedFloats + 16));
}

// The environment of this thread, made by the first attempt; where that found no memory for the rest, another follows.
Environment& makeEnvironment(napi_env env) {
  if (Environment* const before = environmentIn(env))
    return *before;
  Environment* const environment = new Environment(env);
  const auto finalize = [](napi_env, void* environment, void*) { static_cast<Environment*>(environment)->release(); };
  if (napi_set_instance_data(env, environment, finalize, nullptr) != napi_ok) {
    environment->release();
    throw ExceptionPending{};
  }
  return *environment;
}

// Once an environment: (header, arena, settle, threads, whether they share work however little there is to gain) → the
// function for calls.
napi_value setUp(napi_env env, napi_callback_info info) {
  const Arguments<5> given(env, info);
  const size_t threads = threadsOf(env, given[3]);
  if (typeOf(env, given[2]) != napi_function)
    throwInvalid("a function is missing");
  size_t length;
  int32_t* const header = elements<int32_t>(env, given[0], length);
  if (length < headerLength)
    throwInvalid("the header is too short");
  float* const arena = elements<float>(env, given[1], length);
  Environment& environment = makeEnvironment(env);
  if (environment.isOpen())
    throwInvalid("setUp() has been called");
  environment.setArrays(header, MemoryRef(env, given[0]), arena, length, MemoryRef(env, given[1]));
  Pool::shared().limit(threads);
  bool always;
  if (napi_get_value_bool(env, given[4], &always) == napi_ok && always)
    alwaysShareWork();
  const napi_value calls = functionOf(std::make_unique<CallsFunction>(environment));
  environment.openNotifier(given[2]);
  return calls;
}

napi_property_descriptor valueProperty(const char* name, napi_value value) {
  return {name, nullptr, nullptr, nullptr, nullptr, value, napi_default_jsproperty, nullptr};
}

// [{ name, usable }], best first
napi_value tables(napi_env env, napi_callback_info) {
  size_t count;
  const Kernels* const* const tables = kernelTables(count);
  napi_value list;
  check(napi_create_array(env, &list));
  for (size_t index = 0; index < count; index++) {
    napi_value name, usable, table;
    check(napi_create_string_utf8(env, tables[index]->name, NAPI_AUTO_LENGTH, &name));
    check(napi_get_boolean(env, runsHere(*tables[index]), &usable));
    const napi_property_descriptor properties[] = {valueProperty("name", name), valueProperty("usable", usable)};
    check(napi_create_object(env, &table));
    check(napi_define_properties(env, table, std::size(properties), properties));
    check(napi_set_element(env, list, static_cast<uint32_t>(index), table));
  }
  return list;
}

// (table, specification) → floats of packed weights
napi_value networkFloats(napi_env env, napi_callback_info info) {
  const Arguments<2> given(env, info);
  const Kernels& kernels = kernelsAt(env, given[0]);
  return number(env, Network::packedBytes(specOf(env, given[1]), kernels) / sizeof(float));
}

// (table, specification, threads, memory, weights or undefined where the memory holds them already)
napi_value network(napi_env env, napi_callback_info info) {
  const Arguments<5> given(env, info);
  const Kernels& kernels = kernelsAt(env, given[0]);
  const NetworkSpec spec = specOf(env, given[1]);
  const size_t threads = threadsOf(env, given[2]);
  const bool adopts = isUndefined(env, given[4]);
  std::vector<float*> list;
  if (!adopts)
    list = readWeightList(env, given[4], spec);
  const size_t packedFloats = Network::packedBytes(spec, kernels) / sizeof(float);
  float* const memory = packedMemory(env, given[3], packedFloats);
  NetworkWeights* const weights =
      new NetworkWeights(environmentOf(env), spec, kernels, memory, packedFloats * sizeof(float), given[3], threads);
  const WeightsRef ref(*weights);
  if (adopts) {
    weights->shared = true;
  } else {
    weights->network.pack(cellsOfWeightList<const float>(list).data());
    weights->count();
  }
  return weights->heldBy(functionOf(std::make_unique<NetworkFunction>(weights->environment, ref)));
}

// What an operator is made of: (table, kind, sizes, numbers of its precision, …).
struct OperatorRequest {
  OperatorRequest(napi_env env, const napi_value* given)
      : kernels(kernelsAt(env, given[0])), shape{operatorType(static_cast<OperatorKind>(
                                                     sizeOf(env, given[1], 0, operatorKinds - 1))),
                                                 {}} {
    shape.sizes = readList<size_t>(env, given[2], shape.type.sizes,
                                   [&](napi_value value) { return sizeOf(env, value, 1, largestSize); });
    const auto numbers = readList<double>(env, given[3], 2, [&](napi_value value) { return numberOf(env, value); });
    precision = precisionFromNumbers(numbers[0], numbers[1]);
  }
  size_t packedFloats() const { return shape.type.packedBytes(shape.sizes.data(), precision, kernels) / sizeof(float); }

  const Kernels& kernels;
  OperatorShape shape;
  Precision precision;
};

// (table, kind, sizes, precision) → floats of packed weights
napi_value operatorFloats(napi_env env, napi_callback_info info) {
  const Arguments<4> given(env, info);
  return number(env, OperatorRequest(env, given.values).packedFloats());
}

// (table, kind, sizes, precision, memory, weights, undefined where there is none)
napi_value makeOperator(napi_env env, napi_callback_info info) {
  const Arguments<6> given(env, info);
  OperatorRequest request(env, given.values);
  const std::vector<float*> weights = request.shape.readWeights(env, given[5]);
  const size_t packedFloats = request.packedFloats();
  float* const memory = packedMemory(env, given[4], packedFloats);
  const OperatorShape& shape = request.shape;
  std::unique_ptr<Operator> core = shape.type.make(shape.sizes.data(), request.precision, request.kernels, memory);
  core->pack(weights.data());
  // Moved: to copy a list asks for a symbol of newer libraries.
  const napi_value function = functionOf(std::make_unique<OperatorFunction>(
      environmentOf(env), std::move(request.shape), std::move(core), memory, packedFloats * sizeof(float)));
  hold(env, function, "memory", given[4]);
  return function;
}

// (table, threads, numbers, constants, packed memories of networks and operators)
napi_value program(napi_env env, napi_callback_info info) {
  const Arguments<5> given(env, info);
  const Kernels& kernels = kernelsAt(env, given[0]);
  const size_t threads = threadsOf(env, given[1]);
  uint32_t count = 0;
  napi_get_array_length(env, given[4], &count);
  const auto views = readList<napi_value>(env, given[4], count, [](napi_value value) { return value; });
  std::vector<Surroundings::Memory> memories;
  size_t bytes = 0;
  for (const napi_value view : views) {
    size_t length;
    float* const data = elements<float>(env, view, length);
    memories.push_back({alignedMemory(data), length < 16 ? 0 : length - 16});
    bytes += length * sizeof(float);
  }
  size_t numberCount, constantBytes;
  const double* const shared = elements<double>(env, given[2], numberCount);
  const std::vector<double> numbers(shared, shared + numberCount);
  const auto* const constants = reinterpret_cast<const char*>(elements<uint8_t>(env, given[3], constantBytes));
  if (reinterpret_cast<uintptr_t>(constants) % sizeof(int64_t) != 0)
    throwInvalid("the constants are not aligned");
  auto made =
      std::make_unique<ProgramFunction>(environmentOf(env),
                                        Shared<const Program>::of(numbers.data(), numbers.size(), kernels, threads,
                                                                  constants, constantBytes, std::move(memories)),
                                        bytes + constantBytes);
  ProgramFunction& core = *made;
  const napi_value function = functionOf(std::move(made));
  core.setFunction(function);
  hold(env, function, "constants", given[3]);
  for (size_t i = 0; i < views.size(); i++)
    hold(env, function, ("memory" + std::to_string(i)).c_str(), views[i]);
  return function;
}

// (state of the generator, target, begin, end, bound): random weights
napi_value uniform(napi_env env, napi_callback_info info) {
  const Arguments<5> given(env, info);
  if (typeOf(env, given[4]) != napi_number)
    throwInvalid("a bound is missing");
  size_t stateLength, length;
  int32_t* const generator = elements<int32_t>(env, given[0], stateLength);
  float* const target = elements<float>(env, given[1], length);
  if (stateLength != 4)
    throwInvalid("the state of the generator has the wrong length");
  const size_t end = sizeOf(env, given[3], 0, length), begin = sizeOf(env, given[2], 0, end);
  uint32_t state[4];
  std::copy_n(generator, 4, state);
  fillUniform(state, target + begin, end - begin, numberOf(env, given[4]));
  std::copy_n(state, 4, generator);
  return nullptr;
}

template <napi_value (*body)(napi_env, napi_callback_info)>
napi_property_descriptor entry(const char* name) {
  const napi_callback callback = [](napi_env env, napi_callback_info info) {
    return guarded(env, [&] { return body(env, info); });
  };
  return {name, nullptr, callback, nullptr, nullptr, nullptr, napi_default_jsproperty, nullptr};
}

// Defined, not set: what a script put on Object.prototype is not asked.
Napi::Object start(Napi::Env, Napi::Object exports) {
  exports.DefineProperties({
      entry<setUp>("setUp"),
      entry<tables>("tables"),
      entry<networkFloats>("networkFloats"),
      entry<network>("network"),
      entry<program>("program"),
      entry<uniform>("uniform"),
      entry<operatorFloats>("operatorFloats"),
      entry<makeOperator>("operator"),
  });
  return exports;
}

} // namespace

NODE_API_MODULE(native_rnn, start)
