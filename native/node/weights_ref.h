// The weights of a network as one environment sees them, and the life of their memory. That belongs to a
// SharedArrayBuffer, which every function bound to the weights holds, so that it lives by garbage collection alone, in
// all threads.
#pragma once
#include "environment.h"

namespace native_rnn {

struct NetworkWeights final : CountedNetwork {
  // `memory`: `bytes` bytes within the SharedArrayBuffer.
  NetworkWeights(Environment& environment, const NetworkSpec& spec, const Kernels& kernels, float* memory, size_t bytes,
                 size_t threads)
      : CountedNetwork(spec, kernels, memory, threads), environment(environment), memory(memory), bytes(bytes) {
    environment.retain();
  }
  ~NetworkWeights() {
    if (counted)
      environment.adjust(-static_cast<int64_t>(bytes));
    if (pin)
      napi_delete_reference(environment.env, pin);
    environment.release();
  }
  // V8 does not count the memory of shared buffers: unless it is told, it sees no reason to collect them. Told by the
  // environment that made them.
  void count() {
    environment.adjust(static_cast<int64_t>(bytes));
    counted = true;
  }

  Environment& environment;
  float* const memory;
  const size_t bytes;
  bool counted = false;
  bool shared = false;    // other threads may have the memory too
  napi_ref pin = nullptr; // to the view; strong while calls run
  size_t running = 0;
};

// One user of the weights; the last one frees them.
class WeightsRef {
public:
  explicit WeightsRef(NetworkWeights& weights) : weights_(&weights) {}
  WeightsRef(const WeightsRef& other) : weights_(other.weights_) {
    if (weights_)
      weights_->retain();
  }
  WeightsRef& operator=(const WeightsRef&) = delete;
  ~WeightsRef() { release(false); }
  // On dispose() the memory is surely there still, and where nobody else has it, its pages go back to the system at
  // once; the emptied buffer waits for the garbage collector.
  void dispose() { release(true); }
  NetworkWeights& get() const {
    if (!weights_)
      throwInvalid("use after dispose()");
    return *weights_;
  }
  NetworkWeights* operator->() const { return &get(); }

private:
  void release(bool memoryIsThere) {
    NetworkWeights* const weights = weights_;
    weights_ = nullptr;
    if (!weights || !weights->release())
      return;
    if (memoryIsThere && !weights->shared)
      discardPages(weights->memory, weights->bytes);
    delete weights;
  }
  NetworkWeights* weights_;
};

// What the buffer of packed weights still costs when its pages are given back: address space, and the pages at its
// ends.
inline size_t emptiedCost(size_t bytes) { return bytes / 16 + (size_t{16} << 10); }

// A call on the pool; while there is one the garbage collector must not take the memory, whatever became of the
// functions.
class NetworkCall final : public AsyncCall {
public:
  NetworkCall(const WeightsRef& weights, size_t floats)
      : AsyncCall(weights->environment.completions(), weights.get(), floats), weights_(weights) {
    if (weights_->running == 0)
      check(napi_reference_ref(weights_->environment.env, weights_->pin, nullptr));
    weights_->running++;
  }
  ~NetworkCall() override {
    if (--weights_->running == 0)
      napi_reference_unref(weights_->environment.env, weights_->pin, nullptr);
  }

private:
  WeightsRef weights_;
};

} // namespace native_rnn
