// cast: values as another type. Floats are cut off towards 0 to integers, and end at their bounds; integers wrap.
#include "../../matmul/weight_rounding.h"
#include "../elements.h"
#include "../loop.h"
#include "list.h"
#include <cmath>
#include <limits>

namespace native_rnn {
namespace {

struct Boolean {};
struct Half {};

template <class To, class From>
To converted(From x) {
  if constexpr (std::is_same_v<From, float> && !std::is_same_v<To, float>) {
    // 2^digits is a float, the largest integer below it may not be one.
    const float limit = std::ldexp(1.0f, std::numeric_limits<To>::digits);
    if (x >= limit)
      return std::numeric_limits<To>::max();
    if (x <= (std::is_signed_v<To> ? -limit : 0.0f))
      return std::numeric_limits<To>::min();
    return x == x ? static_cast<To>(x) : To{0};
  } else {
    return static_cast<To>(x);
  }
}

// What is read and what is written, by tags where that is not the type in memory.
template <class From, class To>
void castRun(const char* x, ptrdiff_t xStep, char* y, ptrdiff_t yStep, size_t n) {
  using Source = std::conditional_t<std::is_same_v<From, Boolean>, uint8_t, From>;
  for (size_t i = 0; i < n; i++, x += xStep, y += yStep) {
    Source value = *reinterpret_cast<const Source*>(x);
    if constexpr (std::is_same_v<From, Boolean>)
      value = value != 0;
    if constexpr (std::is_same_v<To, Boolean>)
      valueAt<uint8_t>(y) = value != Source{0};
    else if constexpr (std::is_same_v<To, Half>)
      valueAt<float>(y) = floatOfHalf(halfOf(static_cast<float>(value)));
    else
      valueAt<To>(y) = converted<To>(value);
  }
}
using CastRun = void (*)(const char* x, ptrdiff_t xStep, char* y, ptrdiff_t yStep, size_t n);

template <class From>
CastRun castTo(Element element, bool isHalf) {
  if (isHalf)
    return castRun<From, Half>;
  if (element == Element::boolean)
    return castRun<From, Boolean>;
  return withElement(element, [](auto to) -> CastRun { return castRun<From, typename decltype(to)::type>; });
}

class Cast final : public Instruction {
public:
  Cast(CastRun cast, const View& x, const View& y) : cast_(cast), x_(x), y_(y), loop_({&x, &y}) {}
  Ran run(const Run& run) const override {
    loop_.forEach({run.at(x_), run.at(y_)},
                  [&](const auto& at) { cast_(at[0], loop_.step[0], at[1], loop_.step[1], loop_.length); });
    return Ran::done;
  }

private:
  const CastRun cast_;
  const View x_, y_;
  const Loop<2> loop_;
};

} // namespace

std::unique_ptr<Instruction> decodeCast(Reader& reader) {
  const View x = reader.source();
  bool isHalf;
  const View y = reader.castTarget(isHalf);
  require(sameSizes(x, y));
  const CastRun cast =
      x.element == Element::boolean
          ? castTo<Boolean>(y.element, isHalf)
          : withElement(x.element, [&](auto from) { return castTo<typename decltype(from)::type>(y.element, isHalf); });
  return std::make_unique<Cast>(cast, x, y);
}

} // namespace native_rnn
