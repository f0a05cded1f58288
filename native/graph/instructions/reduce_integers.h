// What a reduction leaves of its axes, and that of integers.
#pragma once
#include "../elements.h"
#include "../instruction.h"
#include "../loop.h"
#include "../reader.h"
#include "../row_sums.h"
#include <algorithm>

namespace native_rnn {

// The axes that stay, in x and in y, and those that go, in x.
struct Axes {
  View keptX, keptY, gone;
  Axes(const View& x, const View& y) : keptX(x), keptY(y), gone(x) {
    keptX.rank = keptY.rank = gone.rank = 0;
    for (size_t axis = 0; axis < x.rank; axis++) {
      const bool goes = y.sizes[axis] != x.sizes[axis];
      require(!goes || y.sizes[axis] == 1);
      push(goes ? gone : keptX, x, axis);
      if (!goes)
        push(keptY, y, axis);
    }
  }

private:
  static void push(View& to, const View& from, size_t axis) {
    to.sizes[to.rank] = from.sizes[axis];
    to.strides[to.rank++] = from.strides[axis];
  }
};

// Sums and products wrap; a mean is cut off towards 0.
class ReduceIntegers final : public Instruction {
public:
  ReduceIntegers(Reduction kind, const View& x, const View& y, const Axes& axes)
      : kind_(kind), x_(x), y_(y), count_(axes.gone.count()), results_(axes.keptX.count()), gone_({&axes.gone}),
        loop_({&axes.keptX, &axes.keptY}) {}
  Ran run(const Run& run) const override {
    loop_.forEach({run.at(x_), run.at(y_)}, [&](auto at) {
      for (size_t i = 0; i < loop_.length; i++, at[0] += loop_.step[0], at[1] += loop_.step[1]) {
        int64_t total = begin(at[0]);
        gone_.forEach({at[0]}, [&](const auto& row) { add(total, row[0], gone_.length); });
        finish(total, at[1]);
      }
    });
    return Ran::done;
  }
  // Of one long row.
  std::unique_ptr<Pieces> pieces(const Run& run) const override {
    if (results_ != 1 || !gone_.isOneRun() || gone_.length <= rowPart)
      return nullptr;
    return std::make_unique<RowPieces>(*this, run);
  }

private:
  class RowPieces final : public Pieces {
  public:
    RowPieces(const ReduceIntegers& of, const Run& run)
        : of_(of), x_(run.at(of.x_)), y_(run.at(of.y_)), left_(of.gone_.length), total_(of.begin(x_)) {}
    bool advance() override {
      const size_t n = std::min(rowPart, left_);
      of_.add(total_, x_, n);
      x_ += ptrdiff_t(n) * of_.gone_.step[0], left_ -= n;
      if (left_ == 0)
        of_.finish(total_, y_);
      return left_ > 0;
    }

  private:
    const ReduceIntegers& of_;
    char *x_, *const y_;
    size_t left_;
    int64_t total_;
  };

  int64_t begin(const char* x) const {
    if (kind_ != Reduction::max && kind_ != Reduction::min)
      return kind_ == Reduction::prod;
    int64_t first;
    gatherIntegers(x_.element, x, 0, &first, 1);
    return first;
  }
  // n values of a run.
  void add(int64_t& total, const char* x, size_t n) const {
    int64_t values[chunk];
    for (size_t count; n > 0; n -= count, x += ptrdiff_t(count) * gone_.step[0]) {
      count = std::min(chunk, n);
      gatherIntegers(x_.element, x, gone_.step[0], values, count);
      for (size_t i = 0; i < count; i++)
        total = with(total, values[i]);
    }
  }
  void finish(int64_t total, char* y) const {
    if (kind_ == Reduction::mean)
      total /= static_cast<int64_t>(count_);
    scatterIntegers(y_.element, &total, y, 0, 1);
  }
  int64_t with(int64_t total, int64_t x) const {
    const uint64_t sum = static_cast<uint64_t>(total), wide = static_cast<uint64_t>(x);
    switch (kind_) {
    case Reduction::max:
      return std::max(total, x);
    case Reduction::min:
      return std::min(total, x);
    case Reduction::prod:
      return static_cast<int64_t>(sum * wide);
    case Reduction::sumSquare:
      return static_cast<int64_t>(sum + wide * wide);
    case Reduction::l1:
      return static_cast<int64_t>(x < 0 ? sum - wide : sum + wide);
    default:
      return static_cast<int64_t>(sum + wide);
    }
  }
  const Reduction kind_;
  const View x_, y_;
  const size_t count_, results_;
  const Loop<1> gone_;
  const Loop<2> loop_;
};

} // namespace native_rnn
