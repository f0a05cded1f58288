// symmetricConv: convolution over one axis of one channel by filters that are the same in both directions, but for the
// sign of half of them: the cosines and sines of a short-time Fourier transform, or filters of linear phase. Values at
// the same distance from the middle have one weight, so they are added, or subtracted, before the product: half of it
// is left (the folded form of such filters: Oppenheim and Schafer, Discrete-Time Signal Processing, section 6.5.3).
#include "../loop.h"
#include "../rows.h"
#include "../window.h"
#include "list.h"
#include <algorithm>

namespace native_rnn {
namespace {

// The outputs of one sign.
struct Half {
  PackedRows rows;
  float sign;
  size_t from; // the place of its first output
};

class SymmetricConv final : public Instruction {
public:
  SymmetricConv(std::vector<Half> halves, const Window& window, size_t first, const View& x, const View& y)
      : halves_(std::move(halves)), stride_(window.x.stride), first_(first), pairs_((window.x.kernel - first) / 2),
        kernel_(window.x.kernel), x_(x), y_(y), yRows_(y.axes(0, 3)), loop_({&yRows_}) {}
  size_t floats() const override {
    size_t floats = 0;
    for (const Half& half : halves_)
      floats = std::max(floats, half.rows.floats());
    return foldedFloats() + floats;
  }

  Ran run(const Run& run) const override {
    const ptrdiff_t yStride = loop_.step[0] / ptrdiff_t(sizeof(float));
    size_t window = 0;
    loop_.forEach({run.at(y_)}, [&](const auto& at) {
      float* y = reinterpret_cast<float*>(at[0]);
      for (size_t begin = 0; begin < loop_.length; begin += tileScratchRows) {
        const size_t rows = std::min(tileScratchRows, loop_.length - begin);
        for (const Half& half : halves_) {
          for (size_t r = 0; r < rows; r++)
            fold(windowAt(run, window + r), half.sign, run.own + r * inputs());
          half.rows.run(run.own, ptrdiff_t(inputs()), y + half.from, yStride, rows, false, run.own + foldedFloats());
        }
        window += rows;
        y += ptrdiff_t(rows) * yStride;
      }
    });
    return Ran::done;
  }

private:
  size_t inputs() const { return halves_[0].rows.inputs(); }
  size_t foldedFloats() const { return aligned(tileScratchRows * inputs()); }
  const float* windowAt(const Run& run, size_t window) const {
    const size_t b = window / y_.sizes[2], t = window % y_.sizes[2];
    return run.floats(x_) + ptrdiff_t(b) * x_.floatStride(0) + t * stride_;
  }
  // Taps that stand alone, before and between the pairs, go as they are: times 0 they are NaN where they are no number.
  void fold(const float* window, float sign, float* to) const {
    const float* const last = window + kernel_ - 1;
    if (first_)
      *to++ = *window++;
    for (size_t i = 0; i < pairs_; i++)
      to[i] = window[i] + sign * *(last - i);
    if (window + pairs_ == last - pairs_)
      to[pairs_] = window[pairs_];
  }

  const std::vector<Half> halves_;
  const size_t stride_, first_, pairs_, kernel_;
  const View x_, y_, yRows_;
  const Loop<1> loop_; // over rows of y
};

} // namespace

std::unique_ptr<Instruction> decodeSymmetricConv(Reader& reader) {
  const size_t memory = reader.whole(0, reader.surroundings.memories.size());
  const WeightType type = reader.weightType();
  const size_t even = reader.whole(0, largestMatrixSize), odd = reader.whole(0, largestMatrixSize);
  const size_t first = reader.flag();
  const Window window(reader);
  const Function function = reader.function(false);
  const View x = reader.source(Element::float32), y = reader.target(Element::float32);
  require(x.rank == 4 && y.rank == 4 && x.sizes[0] == y.sizes[0] && y.isDenseAlong(3));
  require(x.sizes[1] == 1 && x.sizes[3] == 1 && y.sizes[1] == 1 && y.sizes[3] == even + odd && even + odd > 0);
  require(x.sizes[2] == 1 || x.floatStride(2) == 1);
  window.check(y.sizes[1], y.sizes[2]);
  require(window.y.kernel == 1 && window.y.isInside(1, 1));
  require(window.x.dilation == 1 && window.x.isInside(y.sizes[2], x.sizes[2]));
  const size_t K = first + (window.x.kernel - first + 1) / 2;
  require(K <= largestMatrixSize);
  std::vector<Half> halves;
  if (even)
    halves.push_back({PackedRows(reader, memory, K, even, type, function), 1.0f, 0});
  if (odd)
    halves.push_back({PackedRows(reader, memory + halves.size(), K, odd, type, function), -1.0f, even});
  return std::make_unique<SymmetricConv>(std::move(halves), window, first, x, y);
}

} // namespace native_rnn
