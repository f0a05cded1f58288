// A network and the count of those who use it: the layer, its streams, its batches, its running calls. One thread
// counts.
#pragma once
#include "../rnn/network.h"
#include "call_memory.h"

namespace native_rnn {

class CountedNetwork {
public:
  CountedNetwork(const NetworkSpec& spec, const Kernels& kernels, float* memory, size_t threads)
      : network(spec, kernels, memory), threads(threads) {}
  ~CountedNetwork() { PagePool::shared().forget(this); }
  CountedNetwork(const CountedNetwork&) = delete;
  CountedNetwork& operator=(const CountedNetwork&) = delete;
  void retain() { users_++; }
  // True when that was the last user; the caller then deletes it.
  bool release() { return --users_ == 0; }

  Network network;
  const size_t threads; // that one call may use

private:
  size_t users_ = 1;
};

} // namespace native_rnn
