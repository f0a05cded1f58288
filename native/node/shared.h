// A value that several functions and calls of one JavaScript thread hold. std::shared_ptr would do, but asks for the
// glibc of 2020.
#pragma once
#include <cstddef>
#include <utility>

namespace native_rnn {

// Counted by the thread that made it, and by no other.
template <class Value>
class Shared {
public:
  template <class... Arguments>
  static Shared of(Arguments&&... arguments) {
    return Shared(new Counted{Value{std::forward<Arguments>(arguments)...}});
  }
  Shared(const Shared& other) : counted_(other.counted_) {
    if (counted_)
      counted_->users++;
  }
  Shared(Shared&& other) noexcept : counted_(std::exchange(other.counted_, nullptr)) {}
  Shared& operator=(const Shared&) = delete;
  ~Shared() { reset(); }
  void reset() {
    Counted* const counted = std::exchange(counted_, nullptr);
    if (counted && --counted->users == 0)
      delete counted;
  }
  explicit operator bool() const { return counted_ != nullptr; }
  Value* operator->() const { return &counted_->value; }

private:
  struct Counted {
    Value value;
    size_t users = 1;
  };
  explicit Shared(Counted* counted) : counted_(counted) {}
  Counted* counted_;
};

} // namespace native_rnn
