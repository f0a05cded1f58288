// Memory of large calls, kept for the next ones: to meet a page for the first time takes up to 10 microseconds, and who
// copies into fresh memory waits for that. For any thread; alone knows how much is kept.
#pragma once
#include "../platform/memory.h"
#include "../platform/thread.h"

namespace native_rnn {

struct Pages {
  float* data = nullptr;
  size_t floats = 0;
  const void* user = nullptr; // whose call had it last
};

class PagePool {
public:
  static constexpr size_t mostBytes = size_t{128} << 20; // that are kept, in the whole process
  static PagePool& shared();
  // At least so many floats; fresh ones where nothing fits. Throws std::bad_alloc.
  Pages take(size_t floats, bool& isFresh);
  void give(const Pages&);
  // On a thread that may wait for memory: where calls come side by side and nothing of this size is left for one more,
  // makes it and meets its pages.
  void provide(size_t floats, const void* user);
  // Frees what the calls of this user left.
  void forget(const void* user);

private:
  PagePool() = default;
  static constexpr size_t most = 32;
  size_t best(size_t floats) const; // count_ where none fits
  Pages removeAt(size_t index);
  Mutex mutex_;
  Pages kept_[most]; // the one given last is the last
  size_t count_ = 0, bytes_ = 0;
  size_t taken_ = 0; // that are in use
};

} // namespace native_rnn
