// conv: convolution with channels last. A window is a row of K numbers: where these lie together in the input it is the
// product of rows that overlap, without a copy; else they are gathered, a tile at a time.
#include "../loop.h"
#include "../window.h"
#include "gemm.h"
#include "list.h"
#include <algorithm>
#include <utility>

namespace native_rnn {
namespace {

// `n` floats of each of some rows.
using CopyRows = void (*)(const char* from, ptrdiff_t step, float* to, size_t toStep, size_t rows, size_t n);

template <size_t fixed>
void copyRows(const char* from, ptrdiff_t step, float* to, size_t toStep, size_t rows, size_t n) {
  for (; rows > 0; rows--, from += step, to += toStep)
    std::memcpy(to, from, (fixed ? fixed : n) * sizeof(float)); // a length that is known takes no call
}

template <size_t... fixed>
CopyRows copyRowsOf(size_t n, std::index_sequence<fixed...>) {
  constexpr CopyRows known[] = {copyRows<fixed>...};
  return n < sizeof...(fixed) ? known[n] : known[0];
}
CopyRows copyRowsOf(size_t n) { return copyRowsOf(n, std::make_index_sequence<17>{}); }

void clearRows(float* to, size_t toStep, size_t rows, size_t n) {
  for (; rows > 0; rows--, to += toStep)
    std::fill_n(to, n, 0.0f);
}

class Conv final : public Instruction {
public:
  Conv(std::vector<PackedRows> groups, const Window& window, bool isPadded, const View& x, const View& y)
      : groups_(std::move(groups)), window_(window), x_(x), y_(y), yRows_(y.axes(0, 3)), loop_({&yRows_}),
        tapsLieTogether_(window.x.dilation == 1 && groups_.size() == 1 &&
                         (x.sizes[2] == 1 || x.floatStride(2) == ptrdiff_t(x.sizes[3]))),
        copyTap_(copyRowsOf(x.sizes[3] / groups_.size())), copyRun_(copyRowsOf(window.x.kernel * x.sizes[3])) {
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
          for (size_t r = 0, count; r < rows; r += count) {
            count = std::min(rows - r, y_.sizes[2] - place.ox);
            gather(run, place, count, g, run.own + r * K);
            advance(place, count);
          }
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
  // By some columns, at most to the end of a row.
  void advance(Place& place, size_t columns) const {
    place.ox += columns;
    if (place.ox < y_.sizes[2])
      return;
    place.ox = 0;
    if (++place.oy < y_.sizes[1])
      return;
    place.oy = 0;
    place.b++;
  }
  size_t gatheredFloats() const { return aligned(tileScratchRows * groups_[0].inputs()); }

  // The numbers of some windows side by side, of one group of channels.
  void gather(const Run& run, const Place& place, size_t windows, size_t group, float* to) const {
    const size_t C = x_.sizes[3] / groups_.size(), kernel = window_.x.kernel, K = groups_[0].inputs();
    const char* const image = run.at(x_) + ptrdiff_t(place.b) * x_.strides[0] + ptrdiff_t(group * C * sizeof(float));
    for (size_t i = 0; i < window_.y.kernel; i++, to += kernel * C) {
      const ptrdiff_t iy = window_.y.at(place.oy, i);
      if (iy < 0 || iy >= ptrdiff_t(x_.sizes[1])) {
        clearRows(to, K, windows, kernel * C);
        continue;
      }
      const char* const row = image + iy * x_.strides[1];
      if (!tapsLieTogether_) {
        gatherTaps(row, place.ox, windows, C, to);
        continue;
      }
      const Inside inside = insideOf(place.ox, windows, 0, kernel - 1);
      gatherTaps(row, place.ox, inside.begin, C, to);
      copyInside(copyRun_, row, place.ox, 0, inside, to, kernel * C);
      gatherTaps(row, place.ox + inside.end, windows - inside.end, C, to + inside.end * K);
    }
  }
  // Tap by tap.
  void gatherTaps(const char* row, size_t ox, size_t windows, size_t C, float* to) const {
    const size_t K = groups_[0].inputs();
    for (size_t j = 0; j < window_.x.kernel && windows > 0; j++, to += C) {
      const Inside inside = insideOf(ox, windows, j, j);
      clearRows(to, K, inside.begin, C);
      copyInside(copyTap_, row, ox, j, inside, to, C);
      clearRows(to + inside.end * K, K, windows - inside.end, C);
    }
  }

  // The windows among some whose taps from the first to the last are in the input.
  struct Inside {
    size_t begin, end;
  };
  Inside insideOf(size_t ox, size_t windows, size_t firstTap, size_t lastTap) const {
    const ptrdiff_t stride = ptrdiff_t(window_.x.stride), count = ptrdiff_t(windows);
    const ptrdiff_t before = -window_.x.at(ox, firstTap), left = ptrdiff_t(x_.sizes[2]) - window_.x.at(ox, lastTap);
    const ptrdiff_t begin = before <= 0 ? 0 : std::min((before + stride - 1) / stride, count);
    const ptrdiff_t end = left <= 0 ? 0 : std::min((left + stride - 1) / stride, count);
    return {size_t(begin), size_t(std::max(begin, end))};
  }

  // `n` floats of each window that is inside, from a tap on. Where none is, or no second one, there is no such place.
  void copyInside(CopyRows copy, const char* row, size_t ox, size_t tap, const Inside& inside, float* to,
                  size_t n) const {
    const size_t K = groups_[0].inputs(), count = inside.end - inside.begin;
    if (count > 0)
      copy(row + window_.x.at(ox + inside.begin, tap) * x_.strides[2],
           count > 1 ? x_.strides[2] * ptrdiff_t(window_.x.stride) : 0, to + inside.begin * K, K, count, n);
  }

  const std::vector<PackedRows> groups_;
  const Window window_;
  const View x_, y_, yRows_;
  const Loop<1> loop_;               // over rows of y
  const bool tapsLieTogether_;       // of a row
  const CopyRows copyTap_, copyRun_; // of a tap; of a row of taps
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

std::unique_ptr<Gemm> convOfRows(const PackedRows& rows, const Window& window, bool isPadded, const View& x,
                                 const View& y) {
  View windows = x;
  windows.sizes[1] = y.sizes[1], windows.sizes[2] = y.sizes[2], windows.sizes[3] = rows.inputs();
  // One window has no next one, however far that would be.
  windows.strides[1] = y.sizes[1] == 1 ? 0 : x.strides[1] * ptrdiff_t(window.y.stride);
  windows.strides[2] = y.sizes[2] == 1 ? 0 : x.strides[2] * ptrdiff_t(window.x.stride);
  windows.strides[3] = sizeof(float);
  return std::make_unique<Gemm>(rows, isPadded, windows, y);
}

// Windows of an image that is one of several, at most, which are gathered although they are rows: a tile of weights
// then passes over those of many images.
constexpr size_t rowsWorthGathering = 16;

} // namespace

std::unique_ptr<Instruction> decodeConv(Reader& reader) {
  const size_t memory = reader.whole(0, reader.surroundings.memories.size());
  const WeightType type = reader.weightType();
  const size_t groups = reader.whole(1, largestMatrixSize);
  const size_t K = reader.whole(1, largestMatrixSize), N = reader.whole(1, largestMatrixSize);
  const Window window(reader);
  const Function function = reader.function(false);
  const bool isPadded = reader.flag();
  const View x = reader.source(Element::float32), y = reader.target(Element::float32);
  require(x.rank == 4 && y.rank == 4 && x.sizes[0] == y.sizes[0] && x.isDenseAlong(3) && y.isDenseAlong(3));
  require(x.sizes[3] % groups == 0 && y.sizes[3] == product(groups, N) && x.sizes[3] / groups <= largestMatrixSize &&
          K == product(window.taps(), x.sizes[3] / groups));
  window.check(y.sizes[1], y.sizes[2]);
  std::vector<PackedRows> matrices;
  for (size_t g = 0; g < groups; g++)
    matrices.emplace_back(reader, memory + g, K, N, type, function);
  if (isPadded) {
    View last = y; // the rows of the last group
    last.offset += (groups - 1) * N * sizeof(float);
    last.sizes[3] = N;
    checkPadded(last, matrices[0].packedRow(), reader);
  }
  if (groups == 1 && areRows(window, x, y)) {
    std::unique_ptr<Gemm> product = convOfRows(matrices[0], window, isPadded, x, y);
    if (!product->isSeveralOf(rowsWorthGathering))
      return product;
  }
  return std::make_unique<Conv>(std::move(matrices), window, isPadded, x, y);
}

} // namespace native_rnn
