// depthwise: a convolution whose channels do not mix, channels last. Taps in the padding are left out. With scales the
// weights are whole numbers, and so become the inputs.
#include "../image.h"
#include "list.h"

namespace native_rnn {
namespace {

class Depthwise final : public Instruction {
public:
  Depthwise(const OpKernels& kernels, const Window& window, const Function& function, const View& x, const View& w,
            const std::optional<View>& bias, const std::optional<View>& scales, const View& y)
      : kernel_(scales ? kernels.depthwiseInt8 : kernels.depthwise), window_(window), function_(function), x_(x), w_(w),
        y_(y), bias_(bias), scales_(scales), image_(x), made_(y) {}
  Ran run(const Run& run) const override {
    for (size_t b = 0; b < made_.B; b++)
      for (size_t h = 0; h < made_.H; h++) {
        float* const row = run.floats(y_) + made_.at(b, h, 0);
        for (size_t w = 0; w < made_.W; w++)
          pixel(run, b, h, w, row + ptrdiff_t(w) * made_.w);
        made_.apply(function_, row);
      }
    return Ran::done;
  }

private:
  void pixel(const Run& run, size_t b, size_t h, size_t w, float* y) const {
    const Taps rows(window_.y, h, image_.H), columns(window_.x, w, image_.W);
    const bool any = rows.count && columns.count;
    const float* x = run.floats(x_);
    const float* weights = run.floats(w_);
    if (any) {
      x += image_.at(b, size_t(window_.y.at(h, rows.first)), size_t(window_.x.at(w, columns.first)));
      weights += ptrdiff_t(rows.first) * w_.floatStride(0) + ptrdiff_t(columns.first) * w_.floatStride(1);
    }
    kernel_({any ? rows.count : 0, columns.count, made_.C, x, ptrdiff_t(window_.y.dilation) * image_.h,
             ptrdiff_t(window_.x.dilation) * image_.w, weights, w_.floatStride(0), w_.floatStride(1),
             bias_ ? run.floats(*bias_) : nullptr, y, scales_ ? run.floats(*scales_) : nullptr});
  }
  void (*const kernel_)(const DepthwiseArgs&);
  const Window window_;
  const Function function_;
  const View x_, w_, y_;
  const std::optional<View> bias_, scales_;
  const Image image_, made_;
};

} // namespace

std::unique_ptr<Instruction> decodeDepthwise(Reader& reader) {
  const Window window(reader);
  const Function function = reader.function(false);
  const View x = reader.source(Element::float32), w = reader.source(Element::float32);
  const std::optional<View> bias = reader.maybeSource(Element::float32);
  const std::optional<View> scales = reader.maybeSource(Element::float32);
  const View y = reader.target(Element::float32);
  const auto isPerChannel = [&](const std::optional<View>& view) {
    return !view || (view->rank == 1 && view->isDense() && view->sizes[0] == x.sizes[3]);
  };
  require(isImage(x) && isImage(y) && x.sizes[0] == y.sizes[0] && x.sizes[3] == y.sizes[3]);
  require(w.rank == 3 && w.isDenseAlong(2) && w.sizes[2] == x.sizes[3] && w.sizes[0] == window.y.kernel &&
          w.sizes[1] == window.x.kernel);
  require(isPerChannel(bias) && isPerChannel(scales) && (!scales || window.taps() <= mostInt8Taps));
  window.check(y.sizes[1], y.sizes[2]);
  return std::make_unique<Depthwise>(reader.surroundings.kernels.ops, window, function, x, w, bias, scales, y);
}

} // namespace native_rnn
