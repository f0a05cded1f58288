// Scratch memory of calls that have ended, for the next ones: few blocks, and none of them large. For any thread.
#pragma once
#include "../platform/memory.h"
#include "../platform/thread.h"

namespace native_rnn {

class ScratchPool {
public:
  static constexpr size_t mostBytes = size_t{8} << 20; // of a block
  static ScratchPool& shared();
  // Throws std::bad_alloc.
  Scratch* take();
  void give(Scratch*);

private:
  ScratchPool() = default;
  static constexpr size_t most = 16;
  Mutex mutex_;
  Scratch* kept_[most];
  size_t count_ = 0;
};

} // namespace native_rnn
