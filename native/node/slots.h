// Values that JavaScript names by a number, their slot, which is free again for the next one.
#pragma once
#include <cstddef>
#include <utility>
#include <vector>

namespace native_rnn {

// A default value stands for none.
template <class Value>
class Slots {
public:
  // The slot that put() takes next. Makes room for that and for the return of all: nothing else here fails.
  size_t next() {
    if (free_.empty()) {
      free_.reserve(values_.size() + 1);
      values_.emplace_back();
      free_.push_back(values_.size() - 1);
    }
    return free_.back();
  }
  void put(Value value) {
    values_[free_.back()] = std::move(value);
    free_.pop_back();
  }
  Value take(size_t slot) {
    free_.push_back(slot);
    return std::exchange(values_[slot], Value{});
  }
  // Null where there is no such slot.
  const Value* find(size_t slot) const { return slot < values_.size() ? &values_[slot] : nullptr; }
  const std::vector<Value>& all() const { return values_; }
  void clear() { values_.clear(), free_.clear(); }

private:
  std::vector<Value> values_;
  std::vector<size_t> free_;
};

} // namespace native_rnn
