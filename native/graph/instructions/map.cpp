// map: a function of each value. Floats by the kernels, integers and booleans by plain loops.
#include "../elements.h"
#include "../loop.h"
#include "list.h"
#include <algorithm>

namespace native_rnn {
namespace {

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

// Of integers of 64 bits, which wrap: the absolute value of the least is itself, and what is cut off afterwards wraps
// too.
int64_t mapped(MapFunction function, int64_t x) {
  const int64_t negated = static_cast<int64_t>(0 - static_cast<uint64_t>(x));
  switch (function) {
  case MapFunction::abs:
    return x < 0 ? negated : x;
  case MapFunction::neg:
    return negated;
  case MapFunction::sign:
    return (x > 0) - (x < 0);
  default: // logicalNot
    return x == 0;
  }
}

class MapIntegers final : public Instruction {
public:
  MapIntegers(MapFunction function, const View& x, const View& y)
      : function_(function), x_(x), y_(y), loop_({&x, &y}) {}
  Ran run(const Run& run) const override {
    loop_.forEach({run.at(x_), run.at(y_)}, [&](auto at) {
      int64_t values[chunk];
      for (size_t left = loop_.length, n; left > 0; left -= n) {
        n = std::min(chunk, left);
        gatherIntegers(x_.element, at[0], loop_.step[0], values, n);
        for (size_t i = 0; i < n; i++)
          values[i] = mapped(function_, values[i]);
        scatterIntegers(y_.element, values, at[1], loop_.step[1], n);
        for (size_t v = 0; v < at.size(); v++)
          at[v] += ptrdiff_t(n) * loop_.step[v];
      }
    });
    return Ran::done;
  }

private:
  const MapFunction function_;
  const View x_, y_;
  const Loop<2> loop_;
};

} // namespace

std::unique_ptr<Instruction> decodeMap(Reader& reader) {
  const Function function = reader.function(true);
  const View x = reader.source(), y = reader.target(x.element);
  require(sameSizes(x, y));
  if (x.element == Element::float32) {
    require(bool(function));
    return std::make_unique<MapFloats>(function, x, y);
  }
  const bool isOfIntegers =
      function.kind == MapFunction::abs || function.kind == MapFunction::neg || function.kind == MapFunction::sign;
  if (x.element == Element::boolean ? function.kind != MapFunction::logicalNot : !isOfIntegers)
    throwInvalid("this function is not of such values");
  return std::make_unique<MapIntegers>(function.kind, x, y);
}

} // namespace native_rnn
