// convTranspose: the products of each pixel and all taps, added where the taps lie, pixel after pixel; channels last.
#include "../image.h"
#include "../rows.h"
#include "list.h"

namespace native_rnn {
namespace {

class ConvTranspose final : public Instruction {
public:
  ConvTranspose(std::vector<PackedRows> groups, const OpKernels& kernels, const Window& window,
                const Function& function, const View& x, const std::optional<View>& bias, const View& y)
      : groups_(std::move(groups)), add_(kernels.zip[size_t(ZipFunction::add)][size_t(Operands::both)]),
        window_(window), function_(function), x_(x), y_(y), bias_(bias), image_(x), made_(y),
        channels_(made_.C / groups_.size()),
        joinsTaps_(groups_.size() == 1 && window.x.dilation == 1 && made_.isRowDense()) {}
  size_t floats() const override { return groups_[0].floats(); }
  Ran run(const Run& run) const override {
    for (size_t b = 0; b < made_.B; b++) {
      forEachRow(run, b, [&](float* row) { begin(run, row); });
      for (size_t g = 0; g < groups_.size(); g++)
        for (size_t h = 0; h < image_.H; h++)
          for (size_t w = 0; w < image_.W; w += tileScratchRows)
            tile(run, b, g, h, w, std::min(tileScratchRows, image_.W - w));
      forEachRow(run, b, [&](float* row) { made_.apply(function_, row); });
    }
    return Ran::done;
  }

private:
  template <class Visit>
  void forEachRow(const Run& run, size_t b, const Visit& visit) const {
    for (size_t h = 0; h < made_.H; h++)
      visit(run.floats(y_) + made_.at(b, h, 0));
  }
  void begin(const Run& run, float* row) const {
    for (size_t w = 0; w < made_.W; w++, row += made_.w)
      if (bias_)
        std::memcpy(row, run.floats(*bias_), made_.C * sizeof(float));
      else
        std::fill_n(row, made_.C, 0.0f);
  }
  // `count` pixels of a row, of one group.
  void tile(const Run& run, size_t b, size_t g, size_t h, size_t w, size_t count) const {
    const PackedRows& rows = groups_[g];
    const float* const x = run.floats(x_) + image_.at(b, h, w) + g * rows.inputs();
    rows.run(x, image_.w, run.own, ptrdiff_t(rows.packedRow()), count, true, nullptr);
    for (size_t i = 0; i < count; i++)
      add(run.own + i * rows.packedRow(), run.floats(y_) + g * channels_, b, h, w + i);
  }
  // What one pixel gives.
  void add(const float* products, float* y, size_t b, size_t h, size_t w) const {
    const Taps down(window_.y, h, made_.H), right(window_.x, w, made_.W);
    for (size_t i = down.first; i < down.first + down.count; i++) {
      const float* const from = products + i * window_.x.kernel * channels_;
      const size_t row = size_t(window_.y.at(h, i));
      const auto place = [&](size_t k) { return y + made_.at(b, row, size_t(window_.x.at(w, k))); };
      if (joinsTaps_ && right.count) {
        float* const to = place(right.first);
        add_(to, from + right.first * channels_, to, right.count * channels_);
        continue;
      }
      for (size_t k = right.first; k < right.first + right.count; k++)
        add_(place(k), from + k * channels_, place(k), channels_);
    }
  }
  const std::vector<PackedRows> groups_;
  void (*const add_)(const float*, const float*, float*, size_t);
  const Window window_;
  const Function function_;
  const View x_, y_;
  const std::optional<View> bias_;
  const Image image_, made_;
  const size_t channels_; // of a group's outputs
  const bool joinsTaps_;  // those of a row lie together, there and here
};

} // namespace

std::unique_ptr<Instruction> decodeConvTranspose(Reader& reader) {
  const size_t memory = reader.whole(0, reader.surroundings.memories.size());
  const size_t groups = reader.whole(1, largestMatrixSize);
  const size_t K = reader.whole(1, largestMatrixSize), N = reader.whole(1, largestMatrixSize);
  const Window window(reader);
  const Function function = reader.function(false);
  const View x = reader.source(Element::float32);
  const std::optional<View> bias = reader.maybeSource(Element::float32);
  const View y = reader.target(Element::float32);
  require(isImage(x) && isImage(y) && x.sizes[0] == y.sizes[0] && x.sizes[3] == product(groups, K));
  require(y.sizes[3] % groups == 0 && N == product(window.taps(), y.sizes[3] / groups));
  require(!bias || (bias->rank == 1 && bias->isDense() && bias->sizes[0] == y.sizes[3]));
  window.check(x.sizes[1], x.sizes[2]);
  std::vector<PackedRows> matrices;
  for (size_t g = 0; g < groups; g++)
    matrices.emplace_back(reader, memory + g, K, N, WeightType::f32, Function{});
  return std::make_unique<ConvTranspose>(std::move(matrices), reader.surroundings.kernels.ops, window, function, x,
                                         bias, y);
}

} // namespace native_rnn
