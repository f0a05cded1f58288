// The header as C++ reads it: memory that JavaScript writes to, so that any field can have any value.
#pragma once
#include "checks.h"
#include "fields.h"

namespace native_rnn {

class Header {
public:
  void setMemory(int32_t* fields) { fields_ = fields; }

  template <class Op>
  Op op() const {
    return static_cast<Op>(at(HeaderField::op));
  }
  // And sets it back to the most frequent one.
  template <class Op>
  Op takeOp() {
    const Op op = this->op<Op>();
    at(HeaderField::op) = 0;
    return op;
  }
  size_t size(HeaderField field) const {
    if (at(field) < 0)
      throwInvalid("a number in the header is negative");
    return static_cast<size_t>(at(field));
  }
  int32_t flags() const { return at(HeaderField::flags); }
  // A number for JavaScript.
  void answer(size_t slot) { at(HeaderField::slot) = static_cast<int32_t>(slot); }

private:
  int32_t& at(HeaderField field) const { return fields_[static_cast<size_t>(field)]; }
  int32_t* fields_ = nullptr;
};

} // namespace native_rnn
