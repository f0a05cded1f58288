// A row of a batch is a stream's frame and state; what lies together by stream there lies together by layer here.
#include "batch_rows.h"
#include <algorithm>

namespace native_rnn {

namespace {
size_t cellStateSize(const NetworkSpec& spec) { return spec.traits().hasCellState ? spec.hiddenSize : 0; }
} // namespace

void BatchRows::bind(const BatchArrays& arrays) {
  const size_t I = spec_.inputSize, L = spec_.numLayers, O = spec_.outputSize(), H = cellStateSize(spec_);
  arrays_ = arrays;
  frameSlots_ = arrays.framesLength / I;
  stateSlots_ = arrays.hLength / (L * O);
  if (H)
    stateSlots_ = std::min(stateSlots_, arrays.cLength / (L * H));
  mostRows_ = std::min(arrays.rowsLength / 2, arrays.outputsLength / O);
}

size_t BatchRows::floats(size_t B) const {
  const size_t L = spec_.numLayers, O = spec_.outputSize();
  return B * (spec_.inputSize + 2 * L * O + 2 * L * cellStateSize(spec_) + O);
}

void BatchRows::check(size_t B) const {
  if (B == 0 || B > mostRows_)
    throwInvalid("the batch has no rows or too many");
  for (size_t row = 0; row < B; row++) {
    if (static_cast<size_t>(arrays_.rows[2 * row]) >= stateSlots_ ||
        static_cast<size_t>(arrays_.rows[2 * row + 1]) >= frameSlots_) {
      throwInvalid("a row of the batch is out of range");
    }
  }
}

ForwardCall BatchRows::gather(size_t B, ArenaCursor memory) const {
  const size_t I = spec_.inputSize, L = spec_.numLayers, O = spec_.outputSize(), H = cellStateSize(spec_);
  float *x = memory.take(B * I), *h0 = memory.take(L * B * O), *c0 = memory.take(L * B * H);
  for (size_t row = 0; row < B; row++) {
    const size_t state = arrays_.rows[2 * row], frame = arrays_.rows[2 * row + 1];
    std::copy_n(arrays_.frames + frame * I, I, x + row * I);
    for (size_t l = 0; l < L; l++) {
      std::copy_n(arrays_.h + (state * L + l) * O, O, h0 + (l * B + row) * O);
      if (H)
        std::copy_n(arrays_.c + (state * L + l) * H, H, c0 + (l * B + row) * H);
    }
  }
  ForwardCall call{};
  call.T = 1;
  call.B = B;
  call.x = x;
  call.h0 = h0;
  call.c0 = H ? c0 : nullptr;
  call.y = memory.take(B * O);
  call.hn = memory.take(L * B * O);
  call.cn = H ? memory.take(L * B * H) : nullptr;
  return call;
}

void BatchRows::scatter(const ForwardCall& call) const {
  const size_t L = spec_.numLayers, O = spec_.outputSize(), H = cellStateSize(spec_), B = call.B;
  for (size_t row = 0; row < B; row++) {
    if (arrays_.rows[2 * row] < 0)
      continue;
    const size_t state = arrays_.rows[2 * row];
    if (state >= stateSlots_)
      throwInvalid("a row of the batch is out of range");
    std::copy_n(call.y + row * O, O, arrays_.outputs + row * O);
    for (size_t l = 0; l < L; l++) {
      std::copy_n(call.hn + (l * B + row) * O, O, arrays_.h + (state * L + l) * O);
      if (H)
        std::copy_n(call.cn + (l * B + row) * H, H, arrays_.c + (state * L + l) * H);
    }
  }
}

} // namespace native_rnn
