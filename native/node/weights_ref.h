// Weights as one environment sees them, and everyone who uses them. The memory belongs to a SharedArrayBuffer that
// every function bound to the weights holds as a property, so that it lives by garbage collection alone, in all
// threads.
#pragma once
#include "environment.h"

namespace native_rnn {

struct NetworkWeights final : CountedNetwork {
  // `buffer`: a view of `bytes` bytes over the SharedArrayBuffer; `counted`: this environment made it.
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
  // V8 does not count the memory of shared buffers: unless it is told, it sees no reason to collect them.
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

// Cuts arrays one after the other out of a run of floats.
class ArenaCursor {
public:
  ArenaCursor(float* from, size_t floats) : next_(from), left_(floats) {}
  float* take(size_t floats) {
    if (floats > left_)
      throwInvalid("the arrays do not fit the arena");
    float* const result = next_;
    next_ += floats;
    left_ -= floats;
    return result;
  }

private:
  float* next_;
  size_t left_;
};

// One forward call as the header tells it.
struct ForwardRequest {
  enum Flag : int32_t { batchFirst = 1, output = 2, initialH = 4, initialC = 8, rowLengths = 16 };

  ForwardRequest(const Environment& environment, const CountedNetwork& counted)
      : T(environment.number(fieldT)), B(environment.number(fieldB)), flags(environment.header[fieldFlags]),
        threads(counted.threads), all(callLengths(counted.network.spec(), T, B)) {
    if (flags & initialC && !all.c)
      throwInvalid("this cell has no cell state");
  }
  size_t h0() const { return flags & initialH ? all.h : 0; }
  size_t c0() const { return flags & initialC ? all.c : 0; }
  size_t lengths() const { return flags & rowLengths ? B : 0; }
  size_t y() const { return flags & output ? all.y : 0; }
  size_t floats() const { return all.x + h0() + c0() + lengths() + y() + all.h + all.c; }

  ForwardCall empty() const {
    ForwardCall call{};
    call.T = T;
    call.B = B;
    call.batchFirst = flags & batchFirst;
    call.threads = threads;
    return call;
  }
  // The order of the arrays in the arena and in a call's buffer; lib/native.ts knows it too.
  ForwardCall over(ArenaCursor cursor) const {
    ForwardCall call = empty();
    call.x = cursor.take(all.x);
    if (flags & initialH)
      call.h0 = cursor.take(h0());
    if (flags & initialC)
      call.c0 = cursor.take(c0());
    if (flags & rowLengths)
      call.lengths = reinterpret_cast<const int32_t*>(cursor.take(B));
    if (flags & output)
      call.y = cursor.take(all.y);
    call.hn = cursor.take(all.h);
    if (all.c)
      call.cn = cursor.take(all.c);
    return call;
  }
  static void checkLengths(const ForwardCall& call) {
    for (size_t row = 0; call.lengths && row < call.B; row++) {
      if (call.lengths[row] < 0 || static_cast<size_t>(call.lengths[row]) > call.T)
        throwInvalid("a length is out of range");
    }
  }

  size_t T, B;
  int32_t flags;
  size_t threads;
  CallLengths all;
};

} // namespace native_rnn
