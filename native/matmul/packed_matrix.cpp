// Packing and unpacking, and how many blocks a matrix is cut into.
#include "packed_matrix.h"
#include "../platform/cpu.h"
#include "weight_rounding.h"
#include <algorithm>
#include <cstring>

namespace native_rnn {
namespace {

// Weights of so many bytes pass many a second-level cache.
constexpr size_t beyondSecondLevelBytes = size_t(1) << 20;

char* at(void* memory, size_t offset) { return static_cast<char*>(memory) + offset; }
const char* at(const void* memory, size_t offset) { return static_cast<const char*>(memory) + offset; }

size_t ceilDivide(size_t a, size_t b) { return (a + b - 1) / b; }

// Calls visit(k, place) with where each weight of a column lies.
template <class Stored, size_t groupSize, class Visit>
void forEachInColumn(Stored* first, size_t stride, size_t K, const Visit& visit) {
  for (size_t k = 0; k < K; k++)
    visit(k, first[k / groupSize * stride * groupSize + k % groupSize]);
}

template <class Stored, size_t groupSize = 1, class Round>
void packColumn(char* first, size_t stride, const float* row, size_t K, const Round& round) {
  forEachInColumn<Stored, groupSize>(reinterpret_cast<Stored*>(first), stride, K,
                                     [&](size_t k, Stored& place) { place = round(row[k]); });
}
template <class Stored, size_t groupSize = 1, class Widen>
void unpackColumn(const char* first, size_t stride, float* row, size_t K, const Widen& widen) {
  forEachInColumn<const Stored, groupSize>(reinterpret_cast<const Stored*>(first), stride, K,
                                           [&](size_t k, Stored place) { row[k] = widen(place); });
}

// Of int8 the whole number.
float rounded(float x, WeightType type, float scale) {
  return type == WeightType::f16    ? floatOfHalf(halfOf(x))
         : type == WeightType::bf16 ? floatOfBfloat(bfloatOf(x))
         : type == WeightType::int8 ? float(int8Of(x, scale))
                                    : x;
}

} // namespace

int kSplitsLog2For(size_t G, size_t N, WeightType type) {
  return type != WeightType::int8Quads && N <= mostSplitOutputs(G) ? 1 : 0;
}

size_t PackedArena::reserve(size_t bytes) {
  const size_t offset = used_;
  used_ += roundUp(bytes, 64);
  return offset;
}

PackedMatrix::PackedMatrix(size_t N, size_t G, size_t K, int kSplitsLog2, WeightType type, const Kernels& kernels,
                           PackedArena& arena, WeightType rounding)
    : N_(N), G_(G), K_(K), kSplitsLog2_(kSplitsLog2), type_(type), rounding_(rounding), lanes_(kernels.lanes),
      dots_(kernels.dots) {
  const size_t rest = N % lanes_;
  tailHalf_ = kernels.hasHalfPanels && rest > 0 && rest <= lanes_ / 2;
  panels_ = N / lanes_ + (rest > 0 && !tailHalf_);
  // The blocks of the recurrent weights decide, for the input's are walked together with them. Where they pass the
  // first-level cache, one block would leave a step that walks backwards nothing to meet.
  const BlockPanels& limit = kernels.blockPanels[G - 1][kSplitsLog2];
  const size_t recurrentBytes =
      paddedUnits() * paddedUnits() * G * weightTypeTraits(type).groupBytes / weightTypeTraits(type).groupSize;
  // What is widened on the way waits for arithmetic before it waits for memory: few sums would wait for each other.
  const bool isWidened = type != WeightType::f32 && type != WeightType::int8Quads;
  const size_t most = recurrentBytes < beyondSecondLevelBytes || isWidened ? limit.several : limit.large;
  const bool fitsOneBlock = panels_ <= limit.single && recurrentBytes <= dataCaches().first;
  const size_t blocks = fitsOneBlock ? 1 : std::max<size_t>(2, ceilDivide(panels_, most));
  blocks_ = splitEvenly(panels_, std::min(panels_, blocks));
  weightsOffset_ = arena.reserve(weightBytes());
  biasOffset_ = arena.reserve(packedRow() * sizeof(float));
  if (hasScales())
    scalesOffset_ = arena.reserve(packedRow() * sizeof(float));
}

PackedView PackedMatrix::view(const void* memory) const {
  PackedView view{};
  view.weights = at(memory, weightsOffset_);
  view.bias = reinterpret_cast<const float*>(at(memory, biasOffset_));
  if (hasScales())
    view.scales = reinterpret_cast<const float*>(at(memory, scalesOffset_));
  view.K = groups();
  view.inputs = K_;
  view.blocks = blocks_.parts + tailHalf_;
  view.panelsPerBlock = blocks_.base;
  view.largerBlocks = blocks_.larger;
  view.tailHalf = tailHalf_;
  view.kSplitsLog2 = kSplitsLog2_;
  view.type = type_;
  view.asksAhead = asksAhead();
  view.dots = dots_;
  return view;
}

// Processors fetch ahead by themselves, but not enough where weights pass the second-level cache, nor what three gates
// read of float32 at a time, which is no power of two, from the first on. int8 waits for being widened.
bool PackedMatrix::asksAhead() const {
  if (type_ == WeightType::int8 || type_ == WeightType::int8Quads)
    return false;
  return weightBytes() >= beyondSecondLevelBytes || (type_ == WeightType::f32 && G_ == 3 && blocks_.parts > 1);
}

PackedMatrix::Column PackedMatrix::columnOf(size_t g, size_t n) const {
  const size_t panel = n / lanes_;
  if (panel == panels_) { // the half one
    const size_t lanes = lanes_ / 2, first = blockOffset(tailHalfBlock(panels_).firstPanel, G_, lanes, groups());
    return {first + offsetInBlock(0, 0, g, n % lanes_, 1, G_, lanes), kStride(1, G_, lanes)};
  }
  const Block block = blockAt(blocks_, blocks_.partOf(panel));
  const size_t inBlock = offsetInBlock(0, panel - block.firstPanel, g, n % lanes_, block.panels, G_, lanes_);
  return {blockOffset(block.firstPanel, G_, lanes_, groups()) + inBlock, kStride(block.panels, G_, lanes_)};
}

size_t PackedMatrix::offsetInRow(size_t g, size_t n) const {
  const size_t panel = n / lanes_, lanes = panel == panels_ ? lanes_ / 2 : lanes_;
  return rowOffset(panel, G_, lanes_) + g * lanes + n % lanes_;
}

void PackedMatrix::pack(const float* plain, const float* bias, size_t firstGate, void* memory,
                        const float* scales) const {
  std::memset(at(memory, weightsOffset_), 0, weightBytes());
  std::memset(at(memory, biasOffset_), 0, packedRow() * sizeof(float));
  if (hasScales())
    std::memset(at(memory, scalesOffset_), 0, packedRow() * sizeof(float));
  float* const packedBias = reinterpret_cast<float*>(at(memory, biasOffset_));
  for (size_t g = 0; g < G_; g++)
    for (size_t n = 0; n < N_; n++) {
      const size_t plainRow = (firstGate + g) * N_ + n;
      const float* const row = plain + plainRow * K_;
      const float scale = !hasScales() ? 1 : scales ? scales[plainRow] : int8Scale(row, K_);
      if (hasScales())
        reinterpret_cast<float*>(at(memory, scalesOffset_))[offsetInRow(g, n)] = scale;
      packRow(row, scale, columnOf(g, n), at(memory, weightsOffset_));
      if (bias)
        packedBias[offsetInRow(g, n)] = bias[plainRow];
    }
}

void PackedMatrix::packRow(const float* row, float scale, const Column& column, char* weights) const {
  char* const first = weights + column.first * weightTypeTraits(type_).groupBytes;
  const auto toInt8 = [&](float x) { return int8Of(x, scale); };
  switch (type_) {
  case WeightType::f32:
    return packColumn<float>(first, column.stride, row, K_, [&](float x) { return rounded(x, rounding_, scale); });
  case WeightType::f16:
    return packColumn<uint16_t>(first, column.stride, row, K_, halfOf);
  case WeightType::bf16:
    return packColumn<uint16_t, 2>(first, column.stride, row, K_, bfloatOf);
  case WeightType::int8:
    return packColumn<int8_t>(first, column.stride, row, K_, toInt8);
  case WeightType::int8Quads:
    return packColumn<int8_t, 4>(first, column.stride, row, K_, toInt8);
  }
}

void PackedMatrix::unpack(float* plain, float* bias, size_t firstGate, const void* memory, float* scales) const {
  const float* const packedBias = reinterpret_cast<const float*>(at(memory, biasOffset_));
  for (size_t g = 0; g < G_; g++)
    for (size_t n = 0; n < N_; n++) {
      const size_t plainRow = (firstGate + g) * N_ + n;
      const float scale =
          hasScales() ? reinterpret_cast<const float*>(at(memory, scalesOffset_))[offsetInRow(g, n)] : 1;
      if (scales)
        scales[plainRow] = scale;
      unpackRow(plain + plainRow * K_, scale, columnOf(g, n), at(memory, weightsOffset_));
      if (bias)
        bias[plainRow] = packedBias[offsetInRow(g, n)];
    }
}

void PackedMatrix::unpackRow(float* row, float scale, const Column& column, const char* weights) const {
  const char* const first = weights + column.first * weightTypeTraits(type_).groupBytes;
  const auto fromInt8 = [&](int8_t q) { return float(q) * scale; };
  switch (type_) {
  case WeightType::f32:
    return unpackColumn<float>(first, column.stride, row, K_, [&](float x) { return hasScales() ? x * scale : x; });
  case WeightType::f16:
    return unpackColumn<uint16_t>(first, column.stride, row, K_, floatOfHalf);
  case WeightType::bf16:
    return unpackColumn<uint16_t, 2>(first, column.stride, row, K_, floatOfBfloat);
  case WeightType::int8:
    return unpackColumn<int8_t>(first, column.stride, row, K_, fromInt8);
  case WeightType::int8Quads:
    return unpackColumn<int8_t, 4>(first, column.stride, row, K_, fromInt8);
  }
}

} // namespace native_rnn
