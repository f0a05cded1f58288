// Live streams that step together, as a function: gathers the rows of a batch, sends it to the pool, and writes the new
// states back when it has ended. All arrays are JavaScript's own and are touched on its thread only.
#pragma once
#include "../protocol/batch_rows.h"
#include "bound_object.h"
#include "weights_ref.h"
#include <algorithm>
#include <iterator>

namespace native_rnn {

class BatchFunction final : public BoundObject {
public:
  BatchFunction(Environment& environment, const WeightsRef& weights)
      : BoundObject(environment), weights_(weights), rows_(weights->network.spec()) {}

  napi_value call(napi_callback_info info) {
    switch (environment.header.takeOp<BatchOp>()) {
    case BatchOp::launch:
      launch(environment.header.size(HeaderField::B));
      return nullptr;
    case BatchOp::collect:
      collect(environment.header.size(HeaderField::slot));
      return nullptr;
    case BatchOp::bind:
      bind(info);
      return nullptr;
    default:
      throwInvalid("no such operation");
    }
  }

private:
  // frames, h, c, outputs, rows: other arrays when they grow.
  void bind(napi_callback_info info) {
    const napi_env env = environment.env;
    const Arguments<5> given(env, info);
    BatchArrays arrays{};
    arrays.frames = elements<float>(env, given[0], arrays.framesLength);
    arrays.h = elements<float>(env, given[1], arrays.hLength);
    if (weights_->network.spec().traits().hasCellState)
      arrays.c = elements<float>(env, given[2], arrays.cLength);
    arrays.outputs = elements<float>(env, given[3], arrays.outputsLength);
    arrays.rows = elements<int32_t>(env, given[4], arrays.rowsLength);
    // All or nothing: what fails leaves the arrays of before, and what keeps them.
    MemoryRef refs[] = {{env, given[0]}, {env, given[1]}, {env, given[2]}, {env, given[3]}, {env, given[4]}};
    std::move(std::begin(refs), std::end(refs), refs_);
    rows_.bind(arrays);
  }

  // The call's slot goes to the header.
  void launch(size_t B) {
    rows_.check(B);
    spares_.reserve(spares_.size() + running_ + 1); // so that collecting needs no memory
    std::unique_ptr<NetworkCall> call = spare(rows_.floats(B));
    call->arrays = rows_.gather(B, ArenaCursor(call->buffer.data(), call->buffer.size()));
    call->arrays.threads = weights_->threads;
    environment.header.answer(environment.submit(std::move(call)));
    running_++;
  }

  void collect(size_t slot) {
    const NetworkCall* const call = dynamic_cast<const NetworkCall*>(&environment.ended(slot));
    if (!call || &call->counted != &weights_.get() || call->arrays.T != 1 || call->arrays.B > rows_.mostRows())
      throwInvalid("this call is not of this batch core");
    if (call->outcome == Outcome::done)
      rows_.scatter(call->arrays);
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
  BatchRows rows_;
  MemoryRef refs_[5]; // to the arrays that rows_ is bound to
  size_t running_ = 0;
  std::vector<std::unique_ptr<NetworkCall>> spares_; // as many as ran at once
};

} // namespace native_rnn
