// The weights of a network as one environment sees them, and the life of their memory: a SharedArrayBuffer, which lives
// as long as any user of the weights does, in any thread.
#pragma once
#include "environment.h"

namespace native_rnn {

struct NetworkWeights final : CountedNetwork {
  // `memory`: `bytes` bytes within the SharedArrayBuffer that `ref` keeps.
  NetworkWeights(Environment& environment, const NetworkSpec& spec, const Kernels& kernels, float* memory, size_t bytes,
                 MemoryRef ref, size_t threads)
      : CountedNetwork(spec, kernels, memory, threads), environment(environment), bytes(bytes), memory_(memory),
        ref_(std::move(ref)) {
    environment.retain();
  }
  // Where nobody else has the memory, its pages go back to the system at once; the emptied buffer waits for the garbage
  // collector.
  ~NetworkWeights() {
    if (!shared)
      discardPages(memory_, bytes);
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

  Environment& environment;
  const size_t bytes;
  bool shared = false; // other threads may have the memory too

private:
  float* const memory_;
  MemoryRef ref_;
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
  ~WeightsRef() { release(); }
  // A later use is an error.
  void release() {
    NetworkWeights* const weights = std::exchange(weights_, nullptr);
    if (weights && weights->release())
      delete weights;
  }
  NetworkWeights& get() const {
    if (!weights_)
      throwInvalid("use after dispose()");
    return *weights_;
  }
  NetworkWeights* operator->() const { return &get(); }

private:
  NetworkWeights* weights_;
};

// What the buffer of packed weights still costs when its pages are given back: address space, and the pages at its
// ends.
inline size_t emptiedCost(size_t bytes) { return bytes / 16 + (size_t{16} << 10); }

// A call on the pool; the weights live until it has ended, whatever became of the functions.
class NetworkCall final : public AsyncCall {
public:
  NetworkCall(const WeightsRef& weights, size_t floats)
      : AsyncCall(weights->environment.completions(), weights.get(), floats), weights_(weights) {}

private:
  WeightsRef weights_;
};

} // namespace native_rnn
