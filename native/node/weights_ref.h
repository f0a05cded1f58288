// The weights of a network as one environment sees them, and the life of their memory. That is a SharedArrayBuffer,
// which no script can detach; every function bound to the weights holds it, and every call on the pool, so that it
// lives by garbage collection alone, in all threads.
#pragma once
#include "../async/forward_task.h"
#include "environment.h"

namespace native_rnn {

struct NetworkWeights final : CountedNetwork {
  // `memory`: `bytes` bytes within the SharedArrayBuffer that `view` looks at.
  NetworkWeights(Environment& environment, const NetworkSpec& spec, const Kernels& kernels, float* memory, size_t bytes,
                 napi_value view, size_t threads)
      : CountedNetwork(spec, kernels, memory, threads), environment(environment), bytes(bytes), memory_(memory),
        view_(environment.env, view, MemoryRef::weak) {
    environment.retain();
  }
  ~NetworkWeights() {
    if (counted_)
      environment.adjust(-static_cast<int64_t>(bytes));
    environment.release();
  }
  // V8 does not count the memory of shared buffers: unless it is told, it sees no reason to collect them. Told by the
  // environment that made them.
  void count() {
    environment.adjust(static_cast<int64_t>(bytes));
    counted_ = true;
  }
  napi_value heldBy(napi_value function) const {
    hold(environment.env, function, "memory", view_.array());
    return function;
  }
  MemoryRef memoryRef() const { return MemoryRef(environment.env, view_.array()); }
  // To be called where the memory is surely there. Where nobody else has it, its pages go back to the system at once;
  // the emptied buffer waits for the garbage collector.
  void discardMemory() const {
    if (!shared)
      discardPages(memory_, bytes);
  }

  Environment& environment;
  const size_t bytes;
  bool shared = false; // other threads may have the memory too

private:
  float* const memory_;
  const MemoryRef view_; // weak
  bool counted_ = false;
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
  // Called by a function that lives, and so the memory does. A later use is an error.
  void dispose() { release(true); }
  NetworkWeights& get() const {
    if (!weights_)
      throwInvalid("use after dispose()");
    return *weights_;
  }
  NetworkWeights* operator->() const { return &get(); }

private:
  void release(bool memoryIsThere) {
    NetworkWeights* const weights = std::exchange(weights_, nullptr);
    if (!weights || !weights->release())
      return;
    if (memoryIsThere)
      weights->discardMemory();
    delete weights;
  }
  NetworkWeights* weights_;
};

// What the buffer of packed weights still costs when its pages are given back: address space, and the pages at its
// ends.
inline size_t emptiedCost(size_t bytes) { return bytes / 16 + (size_t{16} << 10); }

// A call on the pool; the weights and their memory live until it is freed, whatever became of the functions.
class NetworkCall final : public ForwardTask {
public:
  NetworkCall(const WeightsRef& weights, size_t floats)
      : ForwardTask(weights->environment.completions(), weights.get(), floats), weights_(weights),
        memory_(weights->memoryRef()) {}
  ~NetworkCall() override { buffer.release(); } // before the network goes, with which what its calls left is freed
  // Writes results into JavaScript's arrays, which it keeps.
  void writeTo(MemoryRef y, MemoryRef hn, MemoryRef cn) {
    results_[0] = std::move(y), results_[1] = std::move(hn), results_[2] = std::move(cn);
    writesOutside = true;
  }

private:
  WeightsRef weights_;
  const MemoryRef memory_;
  MemoryRef results_[3];
};

} // namespace native_rnn
