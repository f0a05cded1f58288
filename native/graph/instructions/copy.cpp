// copy and fill: values of any type from one view to another, and one value everywhere.
#include "../elements.h"
#include "../loop.h"
#include "copying.h"
#include "list.h"
#include <algorithm>
#include <cmath>

namespace native_rnn {
namespace {

class Copy final : public Instruction {
public:
  Copy(const View& x, const View& y)
      : x_(x), y_(y), loop_({&x, &y}), copy_(copyOf(bytesOf(x.element), loop_.step[0], loop_.step[1])) {}
  Ran run(const Run& run) const override {
    loop_.forEach({run.at(x_), run.at(y_)},
                  [&](const auto& at) { copy_(at[0], loop_.step[0], at[1], loop_.step[1], loop_.length); });
    return Ran::done;
  }

private:
  const View x_, y_;
  const Loop<2> loop_;
  const CopyRun copy_;
};

class Fill final : public Instruction {
public:
  Fill(const char* value, const View& y) : y_(y), loop_({&y}) { std::memcpy(value_, value, sizeof value_); }
  Ran run(const Run& run) const override {
    withElement(y_.element, [&](auto type) {
      using Value = typename decltype(type)::type;
      Value value;
      std::memcpy(&value, value_, sizeof value);
      loop_.forEach({run.at(y_)}, [&](const auto& at) {
        char* to = at[0];
        for (size_t i = 0; i < loop_.length; i++, to += loop_.step[0])
          valueAt<Value>(to) = value;
      });
    });
    return Ran::done;
  }

private:
  const View y_;
  const Loop<1> loop_;
  char value_[8];
};

// The bytes of a number as this element. Throws where there is no such one.
void encode(double number, Element element, char (&bytes)[8]) {
  withElement(element, [&](auto type) {
    using Value = typename decltype(type)::type;
    if constexpr (!std::is_same_v<Value, float>) {
      const double limit = std::ldexp(1.0, std::numeric_limits<Value>::digits);
      require(number < limit && number >= (std::is_signed_v<Value> ? -limit : 0));
    }
    const Value value = static_cast<Value>(number);
    std::memcpy(bytes, &value, sizeof value);
  });
}

} // namespace

std::unique_ptr<Instruction> decodeCopy(Reader& reader) {
  const View x = reader.source(), y = reader.target(x.element);
  require(sameSizes(x, y));
  return std::make_unique<Copy>(x, y);
}

std::unique_ptr<Instruction> decodeFill(Reader& reader) {
  const double number = reader.number();
  const View y = reader.target();
  char value[8] = {};
  encode(number, y.element, value);
  return std::make_unique<Fill>(value, y);
}

} // namespace native_rnn
