// conv: convolution with channels last. A window is a row of K numbers: where these lie together in the input it is the
// product of rows that overlap, without a copy; else they are gathered, a tile at a time.
#include "../loop.h"
#include "../window.h"
#include "gemm.h"
#include "list.h"
#include <algorithm>

namespace native_rnn {
namespace {

class Conv final : public Instruction {
public:
  Conv(std::vector<PackedRows> groups, const Window& window, bool isPadded, const View& x, const View& y)
      : groups_(std::move(groups)), window_(window), x_(x), y_(y), yRows_(y.axes(0, 3)), loop_({&yRows_}),
        tapsLieTogether_(window.x.dilation == 1 && groups_.size() == 1 &&
                         (x.sizes[2] == 1 || x.floatStride(2) == ptrdiff_t(x.sizes[3]))) {
    // What is padded behind a group is the next one's, which follows.
    const size_t packed = groups_[0].packedRow(), N = groups_[0].outputs(), row = (groups_.size() - 1) * N + packed;
    isStraight_ = (isPadded || packed == N) && groups_[0].fits(y) && (groups_.size() == 1 || N % 16 == 0) &&
                  (loop_.length == 1 || loop_.step[0] >= ptrdiff_t(row * sizeof(float)));
  }
  size_t floats() const override { return gatheredFloats() + groups_[0].floats(); }

  Ran run(const Run& run) const override {
    const size_t K = groups_[0].inputs(), N = groups_[0].outputs();
    const ptrdiff_t yStride = loop_.step[0] / ptrdiff_t(sizeof(float));
    Place place{0, 0, 0};
    loop_.forEach({run.at(y_)}, [&](const auto& at) {
      float* y = reinterpret_cast<float*>(at[0]);
      for (size_t first = 0; first < loop_.length; first += tileScratchRows) {
        const size_t rows = std::min(tileScratchRows, loop_.length - first);
        const Place begin = place;
        for (size_t g = 0; g < groups_.size(); g++) {
          place = begin;
          for (size_t r = 0; r < rows; r++, advance(place))
            gather(run, place, g, run.own + r * K);
          groups_[g].run(run.own, ptrdiff_t(K), y + g * N, yStride, rows, isStraight_, run.own + gatheredFloats());
        }
        y += ptrdiff_t(rows) * yStride;
      }
    });
    return Ran::done;
  }

private:
  // Of a row of y: (image, row, column).
  struct Place {
    size_t b, oy, ox;
  };
  void advance(Place& place) const {
    if (++place.ox < y_.sizes[2])
      return;
    place.ox = 0;
    if (++place.oy < y_.sizes[1])
      return;
    place.oy = 0;
    place.b++;
  }
  size_t gatheredFloats() const { return (tileScratchRows * groups_[0].inputs() + 15) / 16 * 16; }

  // The numbers of one window, of one group of channels.
  void gather(const Run& run, const Place& place, size_t group, float* to) const {
    const size_t C = x_.sizes[3] / groups_.size();
    const char* const image = run.at(x_) + ptrdiff_t(place.b) * x_.strides[0] + ptrdiff_t(group * C * sizeof(float));
    for (size_t i = 0; i < window_.y.kernel; i++, to += window_.x.kernel * C) {
      const ptrdiff_t iy = window_.y.at(place.oy, i);
      if (iy < 0 || iy >= ptrdiff_t(x_.sizes[1]))
        std::fill_n(to, window_.x.kernel * C, 0.0f);
      else
        gatherRow(image + iy * x_.strides[1], place.ox, C, to);
    }
  }
  void gatherRow(const char* row, size_t ox, size_t C, float* to) const {
    const ptrdiff_t size = ptrdiff_t(x_.sizes[2]), kernel = ptrdiff_t(window_.x.kernel), first = window_.x.at(ox, 0);
    if (tapsLieTogether_) {
      const ptrdiff_t begin = std::min(std::max<ptrdiff_t>(-first, 0), kernel);
      const ptrdiff_t end = std::max(std::min(size - first, kernel), begin);
      std::fill_n(to, size_t(begin) * C, 0.0f);
      if (end > begin)
        std::memcpy(to + size_t(begin) * C, row + (first + begin) * x_.strides[2],
                    size_t(end - begin) * C * sizeof(float));
      std::fill_n(to + size_t(end) * C, size_t(kernel - end) * C, 0.0f);
      return;
    }
    for (size_t j = 0; j < window_.x.kernel; j++, to += C) {
      const ptrdiff_t ix = window_.x.at(ox, j);
      if (ix < 0 || ix >= size)
        std::fill_n(to, C, 0.0f);
      else
        std::memcpy(to, row + ix * x_.strides[2], C * sizeof(float));
    }
  }

  const std::vector<PackedRows> groups_;
  const Window window_;
  const View x_, y_, yRows_;
  const Loop<1> loop_;         // over rows of y
  const bool tapsLieTogether_; // of a row
  bool isStraight_;
};

// Whether all taps of a window lie together, and no window leaves the input.
bool areRows(const Window& window, const View& x, const View& y) {
  const ptrdiff_t C = ptrdiff_t(x.sizes[3]), kernel = ptrdiff_t(window.x.kernel);
  if (!window.y.isInside(y.sizes[1], x.sizes[1]) || !window.x.isInside(y.sizes[2], x.sizes[2]))
    return false;
  const bool inRow = kernel == 1 || (window.x.dilation == 1 && x.floatStride(2) == C);
  return inRow && (window.y.kernel == 1 || (window.y.dilation == 1 && x.floatStride(1) == kernel * C));
}

std::unique_ptr<Instruction> convOfRows(const PackedRows& rows, const Window& window, bool isPadded, const View& x,
                                        const View& y) {
  View windows = x;
  windows.sizes[1] = y.sizes[1], windows.sizes[2] = y.sizes[2], windows.sizes[3] = rows.inputs();
  // One window has no next one, however far that would be.
  windows.strides[1] = y.sizes[1] == 1 ? 0 : x.strides[1] * ptrdiff_t(window.y.stride);
  windows.strides[2] = y.sizes[2] == 1 ? 0 : x.strides[2] * ptrdiff_t(window.x.stride);
  windows.strides[3] = sizeof(float);
  return std::make_unique<Gemm>(rows, isPadded, windows, y);
}

} // namespace

std::unique_ptr<Instruction> decodeConv(Reader& reader) {
  const size_t memory = reader.whole(0, reader.surroundings.memories.size());
  const size_t groups = reader.whole(1, largestMatrixSize);
  const size_t K = reader.whole(1, largestMatrixSize), N = reader.whole(1, largestMatrixSize);
  const Window window(reader);
  const Function function = reader.function(false);
  const bool isPadded = reader.flag();
  const View x = reader.source(Element::float32), y = reader.target(Element::float32);
  require(x.rank == 4 && y.rank == 4 && x.sizes[0] == y.sizes[0] && x.isDenseAlong(3) && y.isDenseAlong(3));
  require(x.sizes[3] % groups == 0 && y.sizes[3] == groups * N && x.sizes[3] / groups <= largestMatrixSize &&
          K == product(window.y.kernel * window.x.kernel, x.sizes[3] / groups));
  window.check(y.sizes[1], y.sizes[2]);
  std::vector<PackedRows> matrices;
  for (size_t g = 0; g < groups; g++)
    matrices.emplace_back(reader, memory + g, K, N, function);
  if (isPadded) {
    View last = y; // the rows of the last group
    last.offset += (groups - 1) * N * sizeof(float);
    last.sizes[3] = N;
    checkPadded(last, matrices[0].packedRow(), reader);
  }
  if (groups == 1 && areRows(window, x, y))
    return convOfRows(matrices[0], window, isPadded, x, y);
  return std::make_unique<Conv>(std::move(matrices), window, isPadded, x, y);
}

} // namespace native_rnn
