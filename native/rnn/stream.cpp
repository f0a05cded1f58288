// A stream is a recurrence for each layer that never ends.
#include "stream.h"
#include "recurrence.h"
#include <algorithm>
#include <new>

namespace native_rnn {

// Steps that run() takes through all layers at a time.
constexpr size_t timeBlock = 64;

size_t Stream::floats(const Network& network, size_t B) {
  const size_t L = network.spec().numLayers;
  size_t floats =
      aligned(L * sizeof(Recurrence) / sizeof(float)) + 2 * aligned(timeBlock * B * network.spec().outputSize());
  for (const PackedLayer& layer : network.layers())
    floats += Recurrence::floats(layer, B, timeBlock, false);
  return floats;
}

Stream::Stream(const Network& network, size_t B) : network_(network), B_(B) {
  const NetworkSpec& spec = network.spec();
  const size_t L = spec.numLayers, between = aligned(timeBlock * B * spec.outputSize());
  float* memory = memory_.floats(floats(network, B));
  recurrences_ = reinterpret_cast<Recurrence*>(memory);
  memory += aligned(L * sizeof(Recurrence) / sizeof(float));
  between_[0] = memory;
  between_[1] = memory + between;
  memory += 2 * between;
  for (size_t l = 0; l < L; l++) {
    new (recurrences_ + l) Recurrence(network.layers()[l], {timeBlock, B, 0, nullptr, nullptr}, false, memory);
    memory += Recurrence::floats(network.layers()[l], B, timeBlock, false);
  }
}

Stream::~Stream() = default;

void Stream::step(const float* x, float* y) {
  const size_t last = network_.spec().numLayers - 1;
  for (size_t l = 0; l < last; l++) {
    recurrences_[l].step(x, between_[l & 1]);
    x = between_[l & 1];
  }
  recurrences_[last].step(x, y);
}

void Stream::run(const float* x, size_t T, float* y) {
  const NetworkSpec& spec = network_.spec();
  const ptrdiff_t I = ptrdiff_t(spec.inputSize), O = ptrdiff_t(spec.outputSize()), B = ptrdiff_t(B_);
  for (size_t begin = 0; begin < T; begin += timeBlock) {
    const size_t steps = std::min(timeBlock, T - begin);
    Strided<const float> from{x + ptrdiff_t(begin) * B * I, B * I, I};
    for (size_t l = 0; l < spec.numLayers; l++) {
      const bool last = l + 1 == spec.numLayers;
      recurrences_[l].setInput(from, false);
      recurrences_[l].y = {last ? y + ptrdiff_t(begin) * B * O : between_[l & 1], B * O, O};
      recurrences_[l].advance(0, steps, nullptr, nullptr);
      from = {recurrences_[l].y.data, B * O, O};
    }
  }
}

void Stream::readState(float* h, float* c) const {
  const NetworkSpec& spec = network_.spec();
  for (size_t l = 0; l < spec.numLayers; l++)
    recurrences_[l].getState(h + l * B_ * spec.outputSize(), c ? c + l * B_ * spec.hiddenSize : nullptr);
}

void Stream::writeState(const float* h, const float* c) {
  const NetworkSpec& spec = network_.spec();
  for (size_t l = 0; l < spec.numLayers; l++)
    recurrences_[l].setState(h ? h + l * B_ * spec.outputSize() : nullptr, c ? c + l * B_ * spec.hiddenSize : nullptr);
}

} // namespace native_rnn
