// A stream is one pass a layer that never ends.
#include "stream.h"
#include "recurrence.h"
#include <algorithm>
#include <new>

namespace native_rnn {

// Steps that run() takes through all layers at a time.
constexpr size_t cut = 64;

Stream::Stream(const Stack& stack, size_t B) : stack_(stack), B_(B) {
  const NetworkSpec& spec = stack.spec();
  const size_t L = spec.numLayers, kept = aligned(cut * B * spec.outputSize());
  size_t floats = aligned(L * sizeof(Pass) / sizeof(float)) + 2 * kept;
  for (const Layer& layer : stack.layers_)
    floats += Pass::floats(layer, B, cut, false);
  float* memory = memory_.floats(floats);
  passes_ = reinterpret_cast<Pass*>(memory);
  memory += aligned(L * sizeof(Pass) / sizeof(float));
  kept_[0] = memory;
  kept_[1] = memory + kept;
  memory += 2 * kept;
  for (size_t l = 0; l < L; l++) {
    new (passes_ + l) Pass(stack.layers_[l], {cut, B, 0, nullptr, nullptr}, false, memory);
    memory += Pass::floats(stack.layers_[l], B, cut, false);
  }
}

Stream::~Stream() = default;

void Stream::step(const float* x, float* y) {
  const size_t last = stack_.spec().numLayers - 1;
  for (size_t l = 0; l < last; l++) {
    passes_[l].step(x, kept_[l & 1]);
    x = kept_[l & 1];
  }
  passes_[last].step(x, y);
}

void Stream::run(const float* x, size_t T, float* y) {
  const NetworkSpec& spec = stack_.spec();
  const ptrdiff_t I = ptrdiff_t(spec.inputSize), O = ptrdiff_t(spec.outputSize()), B = ptrdiff_t(B_);
  for (size_t begin = 0; begin < T; begin += cut) {
    const size_t steps = std::min(cut, T - begin);
    Strided<const float> from{x + ptrdiff_t(begin) * B * I, B * I, I};
    for (size_t l = 0; l < spec.numLayers; l++) {
      const bool last = l + 1 == spec.numLayers;
      passes_[l].x = from;
      passes_[l].y = {last ? y + ptrdiff_t(begin) * B * O : kept_[l & 1], B * O, O};
      passes_[l].advance(0, steps, nullptr, nullptr);
      from = {passes_[l].y.data, B * O, O};
    }
  }
}

void Stream::readState(float* h, float* c) const {
  const NetworkSpec& spec = stack_.spec();
  for (size_t l = 0; l < spec.numLayers; l++)
    passes_[l].getState(h + l * B_ * spec.outputSize(), c ? c + l * B_ * spec.hiddenSize : nullptr);
}

void Stream::writeState(const float* h, const float* c) {
  const NetworkSpec& spec = stack_.spec();
  for (size_t l = 0; l < spec.numLayers; l++)
    passes_[l].setState(h ? h + l * B_ * spec.outputSize() : nullptr, c ? c + l * B_ * spec.hiddenSize : nullptr);
}

} // namespace native_rnn
