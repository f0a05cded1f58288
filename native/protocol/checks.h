// What numbers from JavaScript must be, and how a wrong one is refused: std::invalid_argument, which the border turns
// into an exception of its language.
#pragma once
#include "../platform/failures.h"
#include <cstddef>

namespace native_rnn {

[[noreturn]] inline void throwInvalid(const char* what) { failInvalid(what); }

// A size from `least` to `most`; anything else, NaN too, is refused.
inline size_t wholeNumber(double number, size_t least, size_t most) {
  if (!(number >= static_cast<double>(least) && number <= static_cast<double>(most)))
    throwInvalid("a number is out of range");
  return static_cast<size_t>(number);
}

} // namespace native_rnn
