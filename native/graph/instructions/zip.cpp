// zip: a function of two values each. Floats by the kernels, integers and booleans by plain loops that wrap and never
// trap.
#include "../elements.h"
#include "../loop.h"
#include "list.h"
#include <algorithm>

namespace native_rnn {
namespace {

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

// By 0: 0, and nothing is left. The least by −1 wraps.
int64_t quotient(int64_t a, int64_t b) {
  return b == 0 ? 0 : b == -1 ? static_cast<int64_t>(0 - static_cast<uint64_t>(a)) : a / b;
}
int64_t rest(int64_t a, int64_t b) { return b == 0 || b == -1 ? 0 : a % b; }
int64_t restOfDivisorsSign(int64_t a, int64_t b) {
  const int64_t left = rest(a, b);
  return left != 0 && (left < 0) != (b < 0) ? left + b : left;
}
int64_t power(int64_t a, int64_t b) {
  if (b < 0)
    return a == 1 || (a == -1 && b % 2 == 0) ? 1 : a == -1 ? -1 : 0;
  uint64_t result = 1, base = static_cast<uint64_t>(a);
  for (; b > 0; b /= 2, base *= base)
    result *= b % 2 ? base : 1;
  return static_cast<int64_t>(result);
}

// Of integers of 64 bits, which wrap; narrower ones are cut afterwards, and so wrap too. Booleans are 0 and 1.
int64_t zipped(ZipFunction function, int64_t a, int64_t b) {
  const uint64_t p = static_cast<uint64_t>(a), q = static_cast<uint64_t>(b);
  switch (function) {
  case ZipFunction::add:
    return static_cast<int64_t>(p + q);
  case ZipFunction::sub:
    return static_cast<int64_t>(p - q);
  case ZipFunction::mul:
    return static_cast<int64_t>(p * q);
  case ZipFunction::div:
    return quotient(a, b);
  case ZipFunction::pow:
    return power(a, b);
  case ZipFunction::mod:
    return restOfDivisorsSign(a, b);
  case ZipFunction::fmod:
    return rest(a, b);
  case ZipFunction::min:
    return std::min(a, b);
  case ZipFunction::max:
    return std::max(a, b);
  case ZipFunction::prelu:
    return a < 0 ? static_cast<int64_t>(p * q) : a;
  case ZipFunction::logicalAnd:
    return a & b;
  case ZipFunction::logicalOr:
    return a | b;
  case ZipFunction::logicalXor:
    return a ^ b;
  case ZipFunction::equal:
    return a == b;
  case ZipFunction::less:
    return a < b;
  case ZipFunction::lessOrEqual:
    return a <= b;
  case ZipFunction::greater:
    return a > b;
  default:
    return a >= b;
  }
}

class ZipIntegers final : public Instruction {
public:
  ZipIntegers(ZipFunction function, const View& a, const View& b, const View& y)
      : function_(function), a_(a), b_(b), y_(y), loop_({&a, &b, &y}) {}
  Ran run(const Run& run) const override {
    loop_.forEach({run.at(a_), run.at(b_), run.at(y_)}, [&](auto at) {
      int64_t a[chunk], b[chunk];
      for (size_t left = loop_.length, n; left > 0; left -= n) {
        n = std::min(chunk, left);
        gatherIntegers(a_.element, at[0], loop_.step[0], a, n);
        gatherIntegers(b_.element, at[1], loop_.step[1], b, n);
        for (size_t i = 0; i < n; i++)
          a[i] = zipped(function_, a[i], b[i]);
        scatterIntegers(y_.element, a, at[2], loop_.step[2], n);
        for (size_t v = 0; v < at.size(); v++)
          at[v] += ptrdiff_t(n) * loop_.step[v];
      }
    });
    return Ran::done;
  }

private:
  const ZipFunction function_;
  const View a_, b_, y_;
  const Loop<3> loop_;
};

struct Operands3 {
  const View &a, &b, &y;
};

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
  if (a.element == Element::float32)
    return zipFloats(function, reader.surroundings.kernels.ops, of);
  const bool isLogical = function >= ZipFunction::logicalAnd && function < ZipFunction::equal,
             compares = function >= ZipFunction::equal;
  require(y.element == (isLogical || compares ? Element::boolean : a.element));
  // Booleans have no order and no sum.
  require(a.element == Element::boolean ? isLogical || function == ZipFunction::equal : !isLogical);
  return std::make_unique<ZipIntegers>(function, a, b, y);
}

} // namespace native_rnn
