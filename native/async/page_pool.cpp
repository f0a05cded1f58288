// A list under a lock; memory is got and freed without it.
#include "page_pool.h"
#include <algorithm>
#include <new>

namespace native_rnn {

namespace {
// In steps, so that calls that differ a little serve each other.
size_t sizeOf(size_t floats) {
  return roundUp(floats * sizeof(float), floats < (size_t{4} << 20) ? size_t{256} << 10 : size_t{2} << 20);
}
void free(const Pages& pages) { unmapPages(pages.data, pages.floats * sizeof(float)); }
} // namespace

PagePool& PagePool::shared() {
  // Never destroyed: pool threads outlive every static object.
  alignas(PagePool) static unsigned char memory[sizeof(PagePool)];
  static PagePool* const one = new (memory) PagePool;
  return *one;
}

// The smallest; not one so large that a large call would miss it.
size_t PagePool::best(size_t floats) const {
  size_t found = count_;
  for (size_t i = 0; i < count_; i++)
    if (kept_[i].floats >= floats && kept_[i].floats / 8 <= floats &&
        (found == count_ || kept_[i].floats <= kept_[found].floats))
      found = i;
  return found;
}

Pages PagePool::removeAt(size_t index) {
  const Pages pages = kept_[index];
  std::copy(kept_ + index + 1, kept_ + count_, kept_ + index);
  count_--;
  bytes_ -= pages.floats * sizeof(float);
  return pages;
}

Pages PagePool::take(size_t floats, bool& isFresh) {
  {
    const Guard guard(mutex_);
    const size_t index = best(floats);
    isFresh = index == count_;
    if (!isFresh) {
      taken_++;
      return removeAt(index);
    }
  }
  const size_t bytes = sizeOf(floats);
  Pages pages;
  pages.data = static_cast<float*>(mapPages(bytes));
  if (!pages.data)
    throw std::bad_alloc();
  pages.floats = bytes / sizeof(float);
  populatePages(pages.data, floats * sizeof(float));
  const Guard guard(mutex_);
  taken_++;
  return pages;
}

// What is kept longest goes first.
void PagePool::give(const Pages& pages) {
  const size_t bytes = pages.floats * sizeof(float);
  Pages dropped[most + 1];
  size_t drops = 0;
  {
    const Guard guard(mutex_);
    taken_--;
    if (bytes > mostBytes) {
      dropped[drops++] = pages;
    } else {
      while (count_ && (count_ == most || bytes_ + bytes > mostBytes))
        dropped[drops++] = removeAt(0);
      kept_[count_++] = pages;
      bytes_ += bytes;
    }
  }
  for (size_t i = 0; i < drops; i++)
    free(dropped[i]);
}

void PagePool::provide(size_t floats, const void* user) {
  const size_t bytes = sizeOf(floats);
  {
    const Guard guard(mutex_);
    // What others left is not pushed out by what may not be wanted.
    if (taken_ < 2 || best(floats) != count_ || count_ == most || bytes_ + bytes > mostBytes)
      return;
  }
  Pages pages;
  pages.data = static_cast<float*>(mapPages(bytes));
  if (!pages.data)
    return;
  touchPages(pages.data, bytes);
  pages.floats = bytes / sizeof(float);
  pages.user = user;
  {
    const Guard guard(mutex_);
    taken_++;
  }
  give(pages);
}

void PagePool::forget(const void* user) {
  Pages dropped[most];
  size_t drops = 0;
  {
    const Guard guard(mutex_);
    for (size_t i = count_; i-- > 0;)
      if (kept_[i].user == user)
        dropped[drops++] = removeAt(i);
  }
  for (size_t i = 0; i < drops; i++)
    free(dropped[i]);
}

} // namespace native_rnn
