// pool: the largest or the mean of the values in each window, channels last. The padding has no values; the mean may
// count it.
#include "../image.h"
#include "list.h"
#include <limits>

namespace native_rnn {
namespace {

class Pool final : public Instruction {
public:
  Pool(PoolKind kind, const OpKernels& kernels, const Window& window, size_t padBelow, size_t padRight, const View& x,
       const View& y)
      : kind_(kind), fold_(kernels.fold[size_t(kind == PoolKind::max ? Reduction::max : Reduction::sum)]),
        divide_(kernels.zip[size_t(ZipFunction::div)][size_t(Operands::oneB)]), window_(window), padBelow_(padBelow),
        padRight_(padRight), x_(x), y_(y), image_(x), made_(y) {}
  Ran run(const Run& run) const override {
    for (size_t b = 0; b < made_.B; b++)
      for (size_t h = 0; h < made_.H; h++)
        for (size_t w = 0; w < made_.W; w++)
          pixel(run.floats(x_), run.floats(y_) + made_.at(b, h, w), b, h, w);
    return Ran::done;
  }

private:
  void pixel(const float* x, float* y, size_t b, size_t h, size_t w) const {
    const Taps down(window_.y, h, image_.H), right(window_.x, w, image_.W);
    const size_t inside = down.count * right.count;
    if (inside == 0) {
      std::fill_n(y, made_.C, kind_ == PoolKind::max ? -std::numeric_limits<float>::infinity() : 0.0f);
      return;
    }
    for (size_t i = 0; i < down.count; i++)
      for (size_t k = 0; k < right.count; k++)
        fold_(x + image_.at(b, size_t(window_.y.at(h, down.first + i)), size_t(window_.x.at(w, right.first + k))), y,
              made_.C, i + k == 0);
    if (kind_ == PoolKind::max)
      return;
    const float count =
        float(kind_ == PoolKind::average ? inside
                                         : tapsBefore(window_.y, h, window_.y.pad + image_.H + padBelow_) *
                                               tapsBefore(window_.x, w, window_.x.pad + image_.W + padRight_));
    divide_(y, &count, y, made_.C);
  }
  const PoolKind kind_;
  void (*const fold_)(const float*, float*, size_t, bool);
  void (*const divide_)(const float*, const float*, float*, size_t);
  const Window window_;
  const size_t padBelow_, padRight_;
  const View x_, y_;
  const Image image_, made_;
};

} // namespace

std::unique_ptr<Instruction> decodePool(Reader& reader) {
  const PoolKind kind = reader.kind<PoolKind>(size_t(PoolKind::averageWithPadding) + 1);
  const Window window(reader);
  const size_t below = reader.whole(0, size_t{1} << 24), right = reader.whole(0, size_t{1} << 24);
  const View x = reader.source(Element::float32), y = reader.target(Element::float32);
  require(isImage(x) && isImage(y) && x.sizes[0] == y.sizes[0] && x.sizes[3] == y.sizes[3]);
  window.check(y.sizes[1], y.sizes[2]);
  return std::make_unique<Pool>(kind, reader.surroundings.kernels.ops, window, below, right, x, y);
}

} // namespace native_rnn
