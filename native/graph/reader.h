// Reading the numbers of an instruction: each is what it must be, or the program is refused. What comes out of here
// lies inside its memory.
#pragma once
#include "../kernels/kernels.h"
#include "../protocol/checks.h"
#include "function.h"
#include "view.h"
#include <memory>
#include <optional>
#include <vector>

namespace native_rnn {

// What a program may refer to.
struct Surroundings {
  struct Memory {
    float* data; // 64-byte aligned
    size_t floats;
  };
  const Kernels& kernels;
  size_t threads;
  std::vector<Memory> memories; // packed weights
  size_t regionBytes[native_rnn::regions];
};

class Reader {
public:
  Reader(const double* from, const double* to, const Surroundings& surroundings)
      : surroundings(surroundings), next_(from), end_(to) {}
  size_t left() const { return size_t(end_ - next_); }
  double number();
  float factor() { return static_cast<float>(number()); }
  size_t whole(size_t least, size_t most) { return wholeNumber(number(), least, most); }
  bool flag() { return whole(0, 1) == 1; }
  // One of an enumeration's `count`.
  template <class Kind>
  Kind kind(size_t count) {
    return static_cast<Kind>(whole(0, count - 1));
  }
  ptrdiff_t signedWhole(double most);
  // `isNeeded`: it is not left out.
  Function function(bool isNeeded);

  View source() { return view(); }
  std::optional<View> maybeSource();
  // Nobody may write to constants.
  View target() { return written(view()); }
  std::optional<View> maybeTarget();
  // Of this element.
  View source(Element element) { return of(element, source()); }
  View target(Element element) { return of(element, target()); }
  std::optional<View> maybeSource(Element);
  std::optional<View> maybeTarget(Element);
  // Of any element, halves too, which are float32 in memory.
  View castTarget(bool& isHalf);
  size_t axisOf(size_t axis, const View& view) const;
  // In what the weights of a product lie, beside what is known of its inputs.
  WeightType weightType();
  // The packed weights of that number, which are at least so many bytes.
  float* memory(size_t index, size_t bytes) const;

  const Surroundings& surroundings;

private:
  View view(bool mayBeHalf = false);
  static View of(Element, const View&);
  static View written(const View&);
  const double* next_;
  const double* const end_;
};

inline void require(bool holds) {
  if (!holds)
    throwInvalid("an instruction's operands do not fit each other");
}

} // namespace native_rnn
