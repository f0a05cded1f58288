// The memory of one call on the pool: small from the allocator, large out of what earlier calls left.
#pragma once
#include "page_pool.h"
#include <optional>

namespace native_rnn {

class CallMemory {
public:
  // Throws std::bad_alloc.
  CallMemory(size_t floats, const void* user) : size_(floats) {
    if (floats < leastLarge) {
      small_.emplace(floats);
      return;
    }
    pages_ = PagePool::shared().take(floats, isFresh_);
    pages_.user = user;
  }
  CallMemory(const CallMemory&) = delete;
  CallMemory& operator=(const CallMemory&) = delete;
  ~CallMemory() { release(); }
  float* data() const { return small_ ? small_->data() : pages_.data; }
  size_t size() const { return size_; }
  // Large memory is free for others from now on.
  void release() {
    if (pages_.data)
      PagePool::shared().give(pages_);
    pages_ = {};
  }
  // On a pool thread: the next call of this size shall not wait for memory as this one did.
  void provideNext() {
    if (isFresh_)
      PagePool::shared().provide(size_, pages_.user);
    isFresh_ = false;
  }

private:
  static constexpr size_t leastLarge = 65536; // 64 pages of a quarter megabyte: the allocator gives larger ones back
  size_t size_;
  std::optional<FloatBuffer> small_;
  Pages pages_{};
  bool isFresh_ = false;
};

} // namespace native_rnn
