// cumSum: running sums along an axis, of floats in double precision, of integers wrapping around.
#include "../elements.h"
#include "../loop.h"
#include "../row_sums.h"
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
  // Of one long line.
  std::unique_ptr<Pieces> pieces(const Run& run) const override {
    if (length_ <= rowPart || keptX_.count() != 1)
      return nullptr;
    return std::make_unique<LinePieces>(*this, run.at(x_) - first_ * xStep_, run.at(y_) - first_ * yStep_);
  }

private:
  using Sum = std::conditional_t<std::is_same_v<Value, float>, double, uint64_t>;
  class LinePieces final : public Pieces {
  public:
    LinePieces(const CumSum& of, char* x, char* y) : of_(of), x_(x), y_(y), left_(of.length_) {}
    bool advance() override {
      const size_t n = std::min(rowPart, left_);
      sum_ = of_.part(x_, y_, n, sum_);
      x_ += ptrdiff_t(n) * of_.xStep_, y_ += ptrdiff_t(n) * of_.yStep_, left_ -= n;
      return left_ > 0;
    }

  private:
    const CumSum& of_;
    char *x_, *y_;
    size_t left_;
    Sum sum_ = 0;
  };

  void line(char* x, char* y) const { part(x, y, length_, 0); }
  // n values from there on, the sum of those before being `sum`; gives that of all.
  Sum part(char* x, char* y, size_t n, Sum sum) const {
    for (size_t k = 0; k < n; k++, x += xStep_, y += yStep_) {
      const Sum before = sum;
      Value value;
      gatherValues(x_.element, x, 0, &value, 1);
      sum += static_cast<Sum>(value);
      value = static_cast<Value>(isExclusive_ ? before : sum);
      scatterValues(y_.element, &value, y, 0, 1);
    }
    return sum;
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
