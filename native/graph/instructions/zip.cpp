// zip: a function of two values each. Floats by the kernels, integers and booleans by plain loops that wrap and never
// trap.
#include "../elements.h"
#include "../loop.h"
#include "list.h"
#include <algorithm>
#include <limits>

namespace native_rnn {
namespace {

constexpr size_t chunk = 256;

// A step that a kernel knows: one value for all, or values that follow each other.
bool isDirect(ptrdiff_t step) { return step == 0 || step == sizeof(float); }

// `Result`: float, or uint8_t of a comparison. Of kernels by Operands those but the first may be null.
template <class Result>
class ZipFloats final : public Instruction {
public:
  using Kernel = void (*)(const float* a, const float* b, Result* y, size_t n);
  ZipFloats(const Kernel (&kernels)[operandKinds], const View& a, const View& b, const View& y)
      : a_(a), b_(b), y_(y), loop_({&a, &b, &y}), kernel_(kernels[size_t(Operands::both)]) {
    const Kernel oneA = kernels[size_t(Operands::oneA)], oneB = kernels[size_t(Operands::oneB)];
    const bool many = loop_.length > 1;
    // A run of one value is of both kinds.
    isDirect_ = isDirect(loop_.step[0]) && isDirect(loop_.step[1]) && loop_.step[2] == sizeof(Result);
    if (!many) {
      isDirect_ = true;
    } else if (isDirect_ && loop_.step[0] == 0) {
      isDirect_ = oneA && loop_.step[1] != 0;
      kernel_ = isDirect_ ? oneA : kernel_;
    } else if (isDirect_ && loop_.step[1] == 0) {
      isDirect_ = oneB;
      kernel_ = isDirect_ ? oneB : kernel_;
    }
  }
  Ran run(const Run& run) const override {
    const typename Loop<3>::Places places{run.at(a_), run.at(b_), run.at(y_)};
    if (isDirect_)
      loop_.forEach(places, [&](const auto& at) {
        kernel_(reinterpret_cast<const float*>(at[0]), reinterpret_cast<const float*>(at[1]),
                reinterpret_cast<Result*>(at[2]), loop_.length);
      });
    else
      loop_.forEach(places, [&](const auto& at) { strided(at); });
    return Ran::done;
  }

private:
  void strided(const typename Loop<3>::Places& at) const {
    float a[chunk], b[chunk];
    Result y[chunk];
    for (size_t first = 0; first < loop_.length; first += chunk) {
      const size_t n = std::min(chunk, loop_.length - first);
      gatherFloats(at[0] + ptrdiff_t(first) * loop_.step[0], loop_.step[0], a, n);
      gatherFloats(at[1] + ptrdiff_t(first) * loop_.step[1], loop_.step[1], b, n);
      kernel_(a, b, y, n);
      char* to = at[2] + ptrdiff_t(first) * loop_.step[2];
      for (size_t i = 0; i < n; i++, to += loop_.step[2])
        valueAt<Result>(to) = y[i];
    }
  }
  const View a_, b_, y_;
  const Loop<3> loop_;
  Kernel kernel_;
  bool isDirect_;
};

template <class Value, class Result, class Function>
class ZipValues final : public Instruction {
public:
  ZipValues(const View& a, const View& b, const View& y) : a_(a), b_(b), y_(y), loop_({&a, &b, &y}) {}
  Ran run(const Run& run) const override {
    loop_.forEach({run.at(a_), run.at(b_), run.at(y_)}, [&](const auto& at) {
      char *a = at[0], *b = at[1], *y = at[2];
      for (size_t i = 0; i < loop_.length; i++, a += loop_.step[0], b += loop_.step[1], y += loop_.step[2])
        valueAt<Result>(y) = static_cast<Result>(Function::of(valueAt<Value>(a), valueAt<Value>(b)));
    });
    return Ran::done;
  }

private:
  const View a_, b_, y_;
  const Loop<3> loop_;
};

// Sums and products are those of the unsigned integers of 64 bits, cut.
template <ZipFunction function>
struct OfIntegers {
  template <class Value>
  static Value of(Value a, Value b) {
    const auto wide = [](Value value) { return static_cast<uint64_t>(value); };
    if constexpr (function == ZipFunction::add)
      return static_cast<Value>(wide(a) + wide(b));
    else if constexpr (function == ZipFunction::sub)
      return static_cast<Value>(wide(a) - wide(b));
    else if constexpr (function == ZipFunction::mul)
      return static_cast<Value>(wide(a) * wide(b));
    else if constexpr (function == ZipFunction::min)
      return std::min(a, b);
    else if constexpr (function == ZipFunction::max)
      return std::max(a, b);
    else if constexpr (function == ZipFunction::pow)
      return power(a, b);
    else if constexpr (function == ZipFunction::prelu)
      return a < Value{0} ? of<ZipFunction::mul>(a, b) : a;
    else
      return quotient(a, b);
  }

private:
  template <ZipFunction other, class Value>
  static Value of(Value a, Value b) {
    return OfIntegers<other>::of(a, b);
  }
  // By 0: 0, and nothing is left. The least by −1 wraps.
  template <class Value>
  static Value quotient(Value a, Value b) {
    const bool isMinusOne = std::is_signed_v<Value> && b == static_cast<Value>(-1);
    if (b == Value{0})
      return Value{0};
    if (isMinusOne)
      return function == ZipFunction::div ? of<ZipFunction::sub>(Value{0}, a) : Value{0};
    if constexpr (function == ZipFunction::div)
      return static_cast<Value>(a / b);
    const Value rest = static_cast<Value>(a % b);
    return function == ZipFunction::mod && rest != Value{0} && (rest < Value{0}) != (b < Value{0})
               ? static_cast<Value>(rest + b)
               : rest;
  }
  template <class Value>
  static Value power(Value a, Value b) {
    if (std::is_signed_v<Value> && b < Value{0}) {
      const bool isOdd = b % 2 != 0;
      return a == Value{1} ? a : a == static_cast<Value>(-1) ? (isOdd ? a : Value{1}) : Value{0};
    }
    uint64_t result = 1, base = static_cast<uint64_t>(a);
    for (uint64_t left = static_cast<uint64_t>(b); left; left >>= 1, base *= base)
      if (left & 1)
        result *= base;
    return static_cast<Value>(result);
  }
};

template <ZipFunction function>
struct Comparing {
  template <class Value>
  static bool of(Value a, Value b) {
    switch (function) {
    case ZipFunction::less:
      return a < b;
    case ZipFunction::lessOrEqual:
      return a <= b;
    case ZipFunction::greater:
      return a > b;
    case ZipFunction::greaterOrEqual:
      return a >= b;
    default:
      return a == b;
    }
  }
};

template <ZipFunction function>
struct Logical {
  static bool of(bool a, bool b) {
    switch (function) {
    case ZipFunction::logicalAnd:
      return a && b;
    case ZipFunction::logicalOr:
      return a || b;
    case ZipFunction::logicalXor:
      return a != b;
    default:
      return a == b;
    }
  }
};

// Calls make(Function) with the function's number as a type, where it is from `first` to `last`.
template <template <ZipFunction> class Of, ZipFunction first, ZipFunction last, class Make>
std::unique_ptr<Instruction> choose(ZipFunction function, const Make& make) {
  if (function == first)
    return make(Of<first>{});
  if constexpr (first < last)
    return choose<Of, static_cast<ZipFunction>(static_cast<size_t>(first) + 1), last>(function, make);
  throwInvalid("this function is not of such values");
}

struct Operands3 {
  const View &a, &b, &y;
};

template <class Value>
std::unique_ptr<Instruction> zipIntegers(ZipFunction function, const Operands3& of) {
  if (function >= ZipFunction::equal) {
    require(of.y.element == Element::boolean);
    return choose<Comparing, ZipFunction::equal, ZipFunction::greaterOrEqual>(
        function, [&](auto f) { return std::make_unique<ZipValues<Value, uint8_t, decltype(f)>>(of.a, of.b, of.y); });
  }
  require(of.y.element == of.a.element);
  return choose<OfIntegers, ZipFunction::add, ZipFunction::prelu>(
      function, [&](auto f) { return std::make_unique<ZipValues<Value, Value, decltype(f)>>(of.a, of.b, of.y); });
}

std::unique_ptr<Instruction> zipBooleans(ZipFunction function, const Operands3& of) {
  require(of.y.element == Element::boolean);
  return choose<Logical, ZipFunction::logicalAnd, ZipFunction::equal>(
      function, [&](auto f) { return std::make_unique<ZipValues<uint8_t, uint8_t, decltype(f)>>(of.a, of.b, of.y); });
}

std::unique_ptr<Instruction> zipFloats(ZipFunction function, const OpKernels& kernels, const Operands3& of) {
  if (function >= ZipFunction::equal) {
    require(of.y.element == Element::boolean);
    return std::make_unique<ZipFloats<uint8_t>>(kernels.compare[size_t(function) - size_t(ZipFunction::equal)], of.a,
                                                of.b, of.y);
  }
  require(of.y.element == Element::float32);
  require(kernels.zip[size_t(function)][0]);
  return std::make_unique<ZipFloats<float>>(kernels.zip[size_t(function)], of.a, of.b, of.y);
}

} // namespace

std::unique_ptr<Instruction> decodeZip(Reader& reader) {
  const ZipFunction function = reader.kind<ZipFunction>(zipFunctions);
  const View a = reader.source(), b = reader.source(a.element), y = reader.target();
  require(sameSizes(a, b) && sameSizes(a, y));
  const Operands3 of{a, b, y};
  switch (a.element) {
  case Element::float32:
    return zipFloats(function, reader.surroundings.kernels.ops, of);
  case Element::boolean:
    return zipBooleans(function, of);
  case Element::int32:
    return zipIntegers<int32_t>(function, of);
  case Element::int64:
    return zipIntegers<int64_t>(function, of);
  case Element::uint8:
    return zipIntegers<uint8_t>(function, of);
  default:
    return zipIntegers<int8_t>(function, of);
  }
}

} // namespace native_rnn
