// softmax and norm: rows of floats, each made anew from all its values.
#include "../../platform/memory.h"
#include "../line.h"
#include "../loop.h"
#include "../row_sums.h"
#include "list.h"

namespace native_rnn {
namespace {

// One long row as the kernel makes it, a part at a time: its largest value, the sum of e^(x − largest), the result.
class SoftmaxPieces final : public Pieces {
public:
  SoftmaxPieces(const OpKernels& kernels, bool isLog, const float* x, float* y, size_t count)
      : kernels_(kernels), isLog_(isLog), x_(x), y_(y), count_(count), largest_(kernels, Reduction::max),
        sum_(kernels, Reduction::sum) {}
  bool advance() override {
    const size_t n = std::min(rowPart, count_ - at_);
    const float* const x = x_ + at_;
    float* const y = y_ + at_;
    if (pass_ == 0)
      largest_.add(x, n);
    else if (pass_ == 1)
      addExps(kernels_, x, isLog_ ? nullptr : y, n, shift_, sum_); // x may still be asked for there
    else
      finish(x, y, n);
    at_ += n;
    if (at_ == count_)
      endPass();
    return pass_ < 3;
  }

private:
  void endPass() {
    if (pass_ == 0) {
      shift_ = largest_.result();
    } else if (pass_ == 1) {
      total_ = sum_.result();
      if (isLog_)
        kernels_.map[size_t(MapFunction::log)](&total_, &total_, 1, 0, 0);
    }
    pass_++, at_ = 0;
  }
  void subtract(const float* x, float from, float* y, size_t n) const {
    kernels_.zip[size_t(ZipFunction::sub)][size_t(Operands::oneB)](x, &from, y, n);
  }
  void finish(const float* x, float* y, size_t n) const {
    if (!isLog_)
      return kernels_.zip[size_t(ZipFunction::div)][size_t(Operands::oneB)](y, &total_, y, n);
    subtract(x, shift_, y, n);
    subtract(y, total_, y, n);
  }
  const OpKernels& kernels_;
  const bool isLog_;
  const float* const x_;
  float* const y_;
  const size_t count_;
  RowSums largest_, sum_;
  float shift_ = 0, total_ = 0;
  size_t pass_ = 0, at_ = 0;
};

class Softmax final : public Instruction {
public:
  Softmax(const OpKernels& kernels, bool isLog, size_t axis, const View& x, const View& y)
      : kernels_(kernels), isLog_(isLog), x_(x), y_(y), xRow_(x.axes(axis, axis + 1)), yRow_(y.axes(axis, axis + 1)),
        keptX_(x.without(axis)), keptY_(y.without(axis)), loop_({&keptX_, &keptY_}) {}
  size_t floats() const override { return aligned(xRow_.floats()) + yRow_.floats(); }
  Ran run(const Run& run) const override {
    float* const room = run.own + aligned(xRow_.floats());
    loop_.forEach({run.at(x_), run.at(y_)}, [&](const auto& at) {
      char *x = at[0], *y = at[1];
      for (size_t i = 0; i < loop_.length; i++, x += loop_.step[0], y += loop_.step[1]) {
        float* const row = yRow_.target(y, room);
        kernels_.softmax(xRow_.read(x, run.own), row, xRow_.count(), isLog_);
        yRow_.write(row, y);
      }
    });
    return Ran::done;
  }
  // Of one long row, as it lies.
  std::unique_ptr<Pieces> pieces(const Run& run) const override {
    if (keptX_.count() != 1 || !xRow_.isDense() || !yRow_.isDense() || xRow_.count() <= rowPart)
      return nullptr;
    return std::make_unique<SoftmaxPieces>(kernels_, isLog_, run.floats(x_), run.floats(y_), xRow_.count());
  }

private:
  const OpKernels& kernels_;
  const bool isLog_;
  const View x_, y_;
  const Line xRow_, yRow_;
  const View keptX_, keptY_;
  const Loop<2> loop_; // over rows
};

// What is normalised, and what with.
enum : size_t { normX, normY, normScale, normBias, normViews };

class Norm final : public Instruction {
public:
  // Scale and bias are x where there is none.
  Norm(const OpKernels& kernels, float epsilon, size_t axes, const std::array<View, normViews>& views, bool hasScale,
       bool hasBias)
      : kernels_(kernels), epsilon_(epsilon), views_(views), hasScale_(hasScale), hasBias_(hasBias) {
    std::array<View, normViews> outer;
    for (size_t v = 0; v < normViews; v++) {
      const View& view = views[v];
      outer[v] = view.axes(0, view.rank - axes);
      rows_[v] = Line(view.axes(view.rank - axes, view.rank));
    }
    loop_ = Loop<normViews>({&outer[normX], &outer[normY], &outer[normScale], &outer[normBias]});
  }
  size_t floats() const override {
    size_t floats = 0;
    for (const Line& row : rows_)
      floats += row.floats();
    return floats;
  }
  Ran run(const Run& run) const override {
    float* rooms[normViews];
    float* next = run.own;
    for (size_t v = 0; v < normViews; v++)
      rooms[v] = next, next += rows_[v].floats();
    loop_.forEach({run.at(views_[normX]), run.at(views_[normY]), run.at(views_[normScale]), run.at(views_[normBias])},
                  [&](auto at) {
                    for (size_t i = 0; i < loop_.length; i++) {
                      normalize(at, rooms);
                      for (size_t v = 0; v < normViews; v++)
                        at[v] += loop_.step[v];
                    }
                  });
    return Ran::done;
  }

private:
  void normalize(const Loop<normViews>::Places& at, float* const (&rooms)[normViews]) const {
    const auto read = [&](size_t v) { return rows_[v].read(at[v], rooms[v]); };
    float* const row = rows_[normY].target(at[normY], rooms[normY]);
    kernels_.norm(read(normX), hasScale_ ? read(normScale) : nullptr, hasBias_ ? read(normBias) : nullptr, row,
                  rows_[normX].count(), epsilon_);
    rows_[normY].write(row, at[normY]);
  }
  const OpKernels& kernels_;
  const float epsilon_;
  const std::array<View, normViews> views_;
  const bool hasScale_, hasBias_;
  Line rows_[normViews];
  Loop<normViews> loop_; // over rows
};

} // namespace

std::unique_ptr<Instruction> decodeSoftmax(Reader& reader) {
  const bool isLog = reader.flag();
  const size_t axis = reader.whole(0, mostAxes - 1);
  const View x = reader.source(Element::float32), y = reader.target(Element::float32);
  require(axis < x.rank && sameSizes(x, y));
  return std::make_unique<Softmax>(reader.surroundings.kernels.ops, isLog, axis, x, y);
}

std::unique_ptr<Instruction> decodeNorm(Reader& reader) {
  const float epsilon = reader.factor();
  const size_t axes = reader.whole(1, mostAxes);
  const View x = reader.source(Element::float32);
  const std::optional<View> scale = reader.maybeSource(Element::float32), bias = reader.maybeSource(Element::float32);
  const View y = reader.target(Element::float32);
  require(axes <= x.rank && sameSizes(x, y) && (!scale || sameSizes(x, *scale)) && (!bias || sameSizes(x, *bias)));
  const std::array<View, normViews> views{x, y, scale ? *scale : x, bias ? *bias : x};
  return std::make_unique<Norm>(reader.surroundings.kernels.ops, epsilon, axes, views, scale.has_value(),
                                bias.has_value());
}

} // namespace native_rnn
