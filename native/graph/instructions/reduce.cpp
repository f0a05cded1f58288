// reduce: one value of all along some axes. Floats have one order, whatever the layout: value i goes to sum i mod 16,
// and those are added in pairs.
#include "../elements.h"
#include "../line.h"
#include "../loop.h"
#include "../row_sums.h"
#include "list.h"
#include "reduce_integers.h"
#include <algorithm>

namespace native_rnn {
namespace {

// log Σ e^x of one long row, as the kernel makes it: its largest value, then the sum of e^(x − largest).
class LogSumExpPieces final : public Pieces {
public:
  LogSumExpPieces(const OpKernels& kernels, const float* x, size_t count, float* y)
      : kernels_(kernels), largest_(kernels, Reduction::max), sum_(kernels, Reduction::sum), x_(x), count_(count),
        y_(y) {}
  bool advance() override {
    const size_t n = std::min(rowPart, count_ - at_);
    if (isSum_)
      addExps(kernels_, x_ + at_, nullptr, n, shift_, sum_);
    else
      largest_.add(x_ + at_, n);
    at_ += n;
    if (at_ < count_)
      return true;
    return endPass();
  }

private:
  bool endPass() {
    if (!isSum_) {
      const float largest = largest_.result();
      shift_ = largest - largest == 0 ? largest : 0;
      at_ = 0;
      return isSum_ = true;
    }
    float sum = sum_.result();
    kernels_.map[size_t(MapFunction::log)](&sum, &sum, 1, 0, 0);
    *y_ = shift_ + sum;
    return false;
  }
  const OpKernels& kernels_;
  RowSums largest_, sum_;
  const float* const x_;
  const size_t count_;
  float* const y_;
  float shift_ = 0;
  size_t at_ = 0;
  bool isSum_ = false;
};

// The values of one result lie together, or are brought together.
class ReduceLines final : public Instruction {
public:
  ReduceLines(Reduction kind, const OpKernels& kernels, const View& x, const View& y, const Axes& axes)
      : kind_(kind), kernels_(kernels), kernel_(kernels.reduce[size_t(kind)]), x_(x), y_(y), line_(axes.gone),
        results_(axes.keptX.count()), loop_({&axes.keptX, &axes.keptY}) {}
  size_t floats() const override { return line_.floats(); }
  Ran run(const Run& run) const override {
    loop_.forEach({run.at(x_), run.at(y_)}, [&](const auto& at) {
      char *x = at[0], *y = at[1];
      for (size_t i = 0; i < loop_.length; i++, x += loop_.step[0], y += loop_.step[1])
        valueAt<float>(y) = kernel_(line_.read(x, run.own), line_.count());
    });
    return Ran::done;
  }
  // Of one long row, as it lies.
  std::unique_ptr<Pieces> pieces(const Run& run) const override {
    if (results_ != 1 || !line_.isDense() || line_.count() <= rowPart)
      return nullptr;
    if (kind_ == Reduction::logSumExp)
      return std::make_unique<LogSumExpPieces>(kernels_, run.floats(x_), line_.count(), run.floats(y_));
    return std::make_unique<RowPieces>(*this, run);
  }

private:
  class RowPieces final : public Pieces {
  public:
    RowPieces(const ReduceLines& of, const Run& run)
        : sums_(of.kernels_, of.kind_), x_(run.floats(of.x_)), left_(of.line_.count()), y_(run.floats(of.y_)) {}
    bool advance() override {
      const size_t n = std::min(rowPart, left_);
      sums_.add(x_, n);
      x_ += n, left_ -= n;
      if (left_ == 0)
        *y_ = sums_.result();
      return left_ > 0;
    }

  private:
    RowSums sums_;
    const float* x_;
    size_t left_;
    float* const y_;
  };

  const Reduction kind_;
  const OpKernels& kernels_;
  float (*const kernel_)(const float*, size_t);
  const View x_, y_;
  const Line line_;
  const size_t results_;
  const Loop<2> loop_; // over results
};

// The values of many results lie beside each other: sums of all of them at once.
class ReduceColumns final : public Instruction {
public:
  ReduceColumns(Reduction kind, const OpKernels& kernels, const View& x, const View& y, const Axes& axes)
      : kind_(kind), kernels_(kernels), x_(x), y_(y), count_(axes.gone.count()), gone_({&axes.gone}),
        loop_({&axes.keptX, &axes.keptY}) {}
  size_t floats() const override { return rowSums * width; }
  // Whether results lie as they must.
  bool fits() const { return loop_.step[0] == sizeof(float) && loop_.length > 1; }
  Ran run(const Run& run) const override {
    loop_.forEach({run.at(x_), run.at(y_)}, [&](const auto& at) {
      for (size_t first = 0; first < loop_.length; first += width) {
        const size_t n = std::min(width, loop_.length - first);
        reduce(at[0] + first * sizeof(float), n, run.own);
        scatterFloats(run.own, at[1] + ptrdiff_t(first) * loop_.step[1], loop_.step[1], n);
      }
    });
    return Ran::done;
  }

private:
  static constexpr size_t width = 256; // a first-level cache holds them

  void reduce(char* x, size_t n, float* totals) const {
    const auto fold = kernels_.fold[size_t(kind_)];
    size_t i = 0;
    gone_.forEach({x}, [&](const auto& at) {
      const char* row = at[0];
      for (size_t k = 0; k < gone_.length; k++, i++, row += gone_.step[0])
        fold(reinterpret_cast<const float*>(row), totals + i % rowSums * width, n, i < rowSums);
    });
    joinSums(kernels_, kind_, totals, width, n, count_);
  }
  const Reduction kind_;
  const OpKernels& kernels_;
  const View x_, y_;
  const size_t count_; // of values of a result
  const Loop<1> gone_;
  const Loop<2> loop_; // over results
};

std::unique_ptr<Instruction> reduceFloats(Reduction kind, const OpKernels& kernels, const View& x, const View& y,
                                          const Axes& axes) {
  if (kernels.fold[size_t(kind)] && !Line(axes.gone).isDense()) {
    auto columns = std::make_unique<ReduceColumns>(kind, kernels, x, y, axes);
    if (columns->fits())
      return columns;
  }
  return std::make_unique<ReduceLines>(kind, kernels, x, y, axes);
}

} // namespace

std::unique_ptr<Instruction> decodeReduce(Reader& reader) {
  const Reduction kind = reader.kind<Reduction>(reductions);
  const View x = reader.source(), y = reader.target(x.element);
  require(x.rank == y.rank && x.element != Element::boolean);
  const Axes axes(x, y);
  if (x.element == Element::float32)
    return reduceFloats(kind, reader.surroundings.kernels.ops, x, y, axes);
  require(kind != Reduction::l2 && kind != Reduction::logSumExp);
  return std::make_unique<ReduceIntegers>(kind, x, y, axes);
}

} // namespace native_rnn
