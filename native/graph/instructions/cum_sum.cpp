// cumSum: running sums along an axis, of floats in double precision, of integers wrapping around.
#include "../elements.h"
#include "../loop.h"
#include "list.h"
#include <type_traits>

namespace native_rnn {
namespace {

// `Value`: float, or int64_t for all integers.
template <class Value>
class CumSum final : public Instruction {
public:
  CumSum(size_t axis, bool isExclusive, bool isReverse, const View& x, const View& y)
      : isExclusive_(isExclusive), x_(x), y_(y), keptX_(x.without(axis)), keptY_(y.without(axis)),
        loop_({&keptX_, &keptY_}), length_(x.sizes[axis]), xStep_(isReverse ? -x.strides[axis] : x.strides[axis]),
        yStep_(isReverse ? -y.strides[axis] : y.strides[axis]), first_(isReverse ? ptrdiff_t(length_ - 1) : 0) {}
  Ran run(const Run& run) const override {
    loop_.forEach({run.at(x_) - first_ * xStep_, run.at(y_) - first_ * yStep_}, [&](auto at) {
      for (size_t i = 0; i < loop_.length; i++, at[0] += loop_.step[0], at[1] += loop_.step[1])
        line(at[0], at[1]);
    });
    return Ran::done;
  }

private:
  using Sum = std::conditional_t<std::is_same_v<Value, float>, double, uint64_t>;
  void line(char* x, char* y) const {
    Sum sum = 0;
    for (size_t k = 0; k < length_; k++, x += xStep_, y += yStep_) {
      const Sum before = sum;
      Value value;
      gatherValues(x_.element, x, 0, &value, 1);
      sum += static_cast<Sum>(value);
      value = static_cast<Value>(isExclusive_ ? before : sum);
      scatterValues(y_.element, &value, y, 0, 1);
    }
  }
  const bool isExclusive_;
  const View x_, y_, keptX_, keptY_;
  const Loop<2> loop_;
  const size_t length_;
  const ptrdiff_t xStep_, yStep_, first_; // to the next in the order of the sum, and to the first of them
};

} // namespace

std::unique_ptr<Instruction> decodeCumSum(Reader& reader) {
  const size_t axis = reader.whole(0, mostAxes - 1);
  const bool isExclusive = reader.flag(), isReverse = reader.flag();
  const View x = reader.source(), y = reader.target(x.element);
  require(axis < x.rank && sameSizes(x, y) && x.element != Element::boolean);
  if (x.element == Element::float32)
    return std::make_unique<CumSum<float>>(axis, isExclusive, isReverse, x, y);
  return std::make_unique<CumSum<int64_t>>(axis, isExclusive, isReverse, x, y);
}

} // namespace native_rnn
