// map: a function of each value. Floats by the kernels, integers and booleans by plain loops.
#include "../elements.h"
#include "../loop.h"
#include "list.h"
#include <algorithm>

namespace native_rnn {
namespace {

// Values that do not follow each other go through an array of so many.
constexpr size_t chunk = 256;

class MapFloats final : public Instruction {
public:
  MapFloats(const Function& function, const View& x, const View& y)
      : function_(function), x_(x), y_(y), loop_({&x, &y}) {}
  Ran run(const Run& run) const override {
    if (loop_.step[0] == sizeof(float) && loop_.step[1] == sizeof(float))
      loop_.forEach({run.at(x_), run.at(y_)}, [&](const auto& at) {
        function_(reinterpret_cast<const float*>(at[0]), reinterpret_cast<float*>(at[1]), loop_.length);
      });
    else
      loop_.forEach({run.at(x_), run.at(y_)}, [&](const auto& at) { strided(at[0], at[1]); });
    return Ran::done;
  }

private:
  void strided(char* x, char* y) const {
    float values[chunk];
    for (size_t first = 0; first < loop_.length; first += chunk) {
      const size_t n = std::min(chunk, loop_.length - first);
      gatherFloats(x + ptrdiff_t(first) * loop_.step[0], loop_.step[0], values, n);
      function_(values, values, n);
      scatterFloats(values, y + ptrdiff_t(first) * loop_.step[1], loop_.step[1], n);
    }
  }
  const Function function_;
  const View x_, y_;
  const Loop<2> loop_;
};

template <class Value>
using Scalar = Value (*)(Value);

// Integers wrap: the absolute value of the least is itself.
template <class Value>
Value negated(Value x) {
  return static_cast<Value>(0 - static_cast<uint64_t>(x));
}
template <class Value>
Value absolute(Value x) {
  return std::is_signed_v<Value> && x < Value{0} ? negated(x) : x;
}
template <class Value>
Value signOf(Value x) {
  return static_cast<Value>((x > Value{0}) - (std::is_signed_v<Value> && x < Value{0}));
}

template <class Value, Value (*function)(Value)>
class MapValues final : public Instruction {
public:
  MapValues(const View& x, const View& y) : x_(x), y_(y), loop_({&x, &y}) {}
  Ran run(const Run& run) const override {
    loop_.forEach({run.at(x_), run.at(y_)}, [&](const auto& at) {
      char *x = at[0], *y = at[1];
      for (size_t i = 0; i < loop_.length; i++, x += loop_.step[0], y += loop_.step[1])
        valueAt<Value>(y) = function(valueAt<Value>(x));
    });
    return Ran::done;
  }

private:
  const View x_, y_;
  const Loop<2> loop_;
};

uint8_t logicalNot(uint8_t x) { return x == 0; }

} // namespace

std::unique_ptr<Instruction> decodeMap(Reader& reader) {
  const Function function = reader.function(true);
  const View x = reader.source(), y = reader.target(x.element);
  require(sameSizes(x, y));
  if (x.element == Element::float32) {
    require(bool(function));
    return std::make_unique<MapFloats>(function, x, y);
  }
  if (x.element == Element::boolean) {
    require(function.kind == MapFunction::logicalNot);
    return std::make_unique<MapValues<uint8_t, logicalNot>>(x, y);
  }
  return withElement(x.element, [&](auto type) -> std::unique_ptr<Instruction> {
    using Value = typename decltype(type)::type;
    if constexpr (!std::is_same_v<Value, float>) {
      if (function.kind == MapFunction::abs)
        return std::make_unique<MapValues<Value, absolute<Value>>>(x, y);
      if (function.kind == MapFunction::neg)
        return std::make_unique<MapValues<Value, negated<Value>>>(x, y);
      if (function.kind == MapFunction::sign)
        return std::make_unique<MapValues<Value, signOf<Value>>>(x, y);
    }
    throwInvalid("this function is not of integers");
  });
}

} // namespace native_rnn
