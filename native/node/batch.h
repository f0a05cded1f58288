// Live streams that step together, as a function: gathers the rows of a batch, sends it to the pool, and writes the new
// states back when it has ended. All arrays are JavaScript's own and are touched on its thread only.
#pragma once
#include "weights_ref.h"
#include <algorithm>

namespace native_rnn {

class BatchFunction final : public BoundObject {
public:
  enum Op : int32_t { opLaunch, opCollect, opBind };

  BatchFunction(Environment& environment, const WeightsRef& weights) : BoundObject(environment), weights_(weights) {}

  napi_value call(napi_callback_info info) {
    switch (environment.takeOp()) {
    case opLaunch:
      launch(environment.number(fieldB));
      return nullptr;
    case opCollect:
      collect(environment.number(fieldSlot));
      return nullptr;
    case opBind:
      bind(info);
      return nullptr;
    default:
      throwInvalid("no such operation");
    }
  }

private:
  // Arrays may move when they grow: frames (·, I), h (·, L, O), c (·, L, H), outputs (rows, O), rows (rows, 2).
  void bind(napi_callback_info info) {
    const Arguments<5> given(environment.env, info);
    const NetworkSpec& spec = weights_->network.spec();
    const bool cells = spec.traits().hasCellState;
    size_t frames, h, c = 0, outputs, rows;
    float* const newFrames = elements<float>(environment.env, given[0], napi_float32_array, frames);
    float* const newH = elements<float>(environment.env, given[1], napi_float32_array, h);
    float* const newC = cells ? elements<float>(environment.env, given[2], napi_float32_array, c) : nullptr;
    float* const newOutputs = elements<float>(environment.env, given[3], napi_float32_array, outputs);
    int32_t* const newRows = elements<int32_t>(environment.env, given[4], napi_int32_array, rows);
    frames_ = newFrames, h_ = newH, c_ = newC, outputs_ = newOutputs, rows_ = newRows;
    frameSlots_ = frames / spec.inputSize;
    stateSlots_ = h / (spec.numLayers * spec.outputSize());
    if (cells)
      stateSlots_ = std::min(stateSlots_, c / (spec.numLayers * spec.hiddenSize));
    mostRows_ = std::min(rows / 2, outputs / spec.outputSize());
  }

  // Rows (state slot, frame slot); the call's slot goes to the header.
  void launch(size_t B) {
    if (B == 0 || B > mostRows_)
      throwInvalid("the batch has no rows or too many");
    for (size_t row = 0; row < B; row++) {
      if (static_cast<size_t>(rows_[2 * row]) >= stateSlots_ ||
          static_cast<size_t>(rows_[2 * row + 1]) >= frameSlots_) {
        throwInvalid("a row of the batch is out of range");
      }
    }
    const NetworkSpec& spec = weights_->network.spec();
    const size_t I = spec.inputSize, L = spec.numLayers, O = spec.outputSize(), H = c_ ? spec.hiddenSize : 0;
    spares_.reserve(spares_.size() + running_ + 1); // so that collecting needs no memory
    std::unique_ptr<NetworkCall> call = spare(B * (I + 2 * L * O + 2 * L * H + O));
    ArenaCursor cursor(call->buffer.data(), call->buffer.size());
    float *x = cursor.take(B * I), *h0 = cursor.take(L * B * O), *c0 = cursor.take(L * B * H);
    for (size_t row = 0; row < B; row++) {
      const size_t state = rows_[2 * row];
      std::copy_n(frames_ + rows_[2 * row + 1] * I, I, x + row * I);
      for (size_t l = 0; l < L; l++) {
        std::copy_n(h_ + (state * L + l) * O, O, h0 + (l * B + row) * O);
        if (H)
          std::copy_n(c_ + (state * L + l) * H, H, c0 + (l * B + row) * H);
      }
    }
    ForwardCall& arrays = call->arrays;
    arrays = ForwardCall{};
    arrays.T = 1;
    arrays.B = B;
    arrays.x = x;
    arrays.h0 = h0;
    arrays.c0 = H ? c0 : nullptr;
    arrays.y = cursor.take(B * O);
    arrays.hn = cursor.take(L * B * O);
    arrays.cn = H ? cursor.take(L * B * H) : nullptr;
    arrays.threads = weights_->threads;
    environment.header[fieldSlot] = static_cast<int32_t>(environment.submit(std::move(call)));
    running_++;
  }

  // Rows (state slot, or negative where the new state is not wanted); outputs go to `outputs`.
  void collect(size_t slot) {
    AsyncCall& call = environment.ended(slot);
    const ForwardCall& arrays = call.arrays;
    const size_t B = arrays.B;
    if (&call.counted != &weights_.get() || arrays.T != 1 || B > mostRows_)
      throwInvalid("this call is not of this batch core");
    const NetworkSpec& spec = weights_->network.spec();
    const size_t L = spec.numLayers, O = spec.outputSize(), H = arrays.cn ? spec.hiddenSize : 0;
    for (size_t row = 0; call.outcome == AsyncCall::Outcome::done && row < B; row++) {
      if (rows_[2 * row] < 0)
        continue;
      const size_t state = rows_[2 * row];
      if (state >= stateSlots_)
        throwInvalid("a row of the batch is out of range");
      std::copy_n(arrays.y + row * O, O, outputs_ + row * O);
      for (size_t l = 0; l < L; l++) {
        std::copy_n(arrays.hn + (l * B + row) * O, O, h_ + (state * L + l) * O);
        if (H)
          std::copy_n(arrays.cn + (l * B + row) * H, H, c_ + (state * L + l) * H);
      }
    }
    spares_.emplace_back(static_cast<NetworkCall*>(environment.remove(slot).release()));
    running_--;
  }

  // The memory of an earlier batch serves again where it is large enough, which spares its page faults.
  std::unique_ptr<NetworkCall> spare(size_t floats) {
    while (!spares_.empty()) {
      std::unique_ptr<NetworkCall> call = std::move(spares_.back());
      spares_.pop_back();
      if (call->buffer.size() < floats)
        continue;
      call->reuse();
      return call;
    }
    charge(floats * sizeof(float)); // it stays until this function goes
    return std::make_unique<NetworkCall>(weights_, floats);
  }

  WeightsRef weights_;
  float *frames_ = nullptr, *h_ = nullptr, *c_ = nullptr, *outputs_ = nullptr;
  int32_t* rows_ = nullptr;
  size_t frameSlots_ = 0, stateSlots_ = 0, mostRows_ = 0, running_ = 0;
  std::vector<std::unique_ptr<NetworkCall>> spares_; // as many as ran at once
};

} // namespace native_rnn
