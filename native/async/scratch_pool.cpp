// A stack of blocks under a lock: the one used last is the one most likely in a cache.
#include "scratch_pool.h"
#include <new>

namespace native_rnn {

ScratchPool& ScratchPool::shared() {
  // Never destroyed: pool threads outlive every static object.
  alignas(ScratchPool) static unsigned char memory[sizeof(ScratchPool)];
  static ScratchPool* const one = new (memory) ScratchPool;
  return *one;
}

Scratch* ScratchPool::take() {
  {
    const Guard guard(mutex_);
    if (count_)
      return kept_[--count_];
  }
  return new Scratch;
}

void ScratchPool::give(Scratch* scratch) {
  if (scratch->bytes() <= mostBytes) {
    const Guard guard(mutex_);
    if (count_ < most) {
      kept_[count_++] = scratch;
      return;
    }
  }
  delete scratch;
}

} // namespace native_rnn
