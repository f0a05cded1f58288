// A program as a function, which makes instances; an instance as a function, which without an operation is one run over
// inputs and outputs that both sides see.
#pragma once
#include "../async/async_call.h"
#include "../async/call_memory.h"
#include "../async/scratch_pool.h"
#include "../graph/program.h"
#include "../protocol/slot_rows.h"
#include "bound_object.h"
#include "shared.h"

namespace native_rnn {

// What one run at a time works on. What is too large for a thread to keep comes out of what earlier calls left.
struct Instance {
  Shared<const Program> program;
  char* io;
  bool isBusy; // a call on the pool has it

  ~Instance() { PagePool::shared().forget(this); }
  size_t run(Scratch& scratch, const std::atomic<bool>* cancelled) const {
    if (program->floats() * sizeof(float) <= ScratchPool::mostBytes)
      return program->run(io, scratch, cancelled);
    const CallMemory memory(program->floats(), this);
    return program->run(io, memory.data(), cancelled);
  }
};

// A run on the pool. Keeps the instance's function, and so its memory.
class ProgramCall final : public AsyncCall {
public:
  ProgramCall(Environment& environment, Shared<Instance> instance, napi_value function)
      : AsyncCall(environment.completions()), instance_(std::move(instance)), function_(environment.env, function) {
    instance_->isBusy = true;
  }
  ~ProgramCall() override { instance_->isBusy = false; }
  // The instruction that failed, counted from 1.
  size_t failedAt() const { return outcome == Outcome::failed ? ended_ : 0; }

private:
  Outcome work(Scratch& scratch, const std::atomic<bool>& cancelled) override {
    ended_ = instance_->run(scratch, &cancelled);
    return ended_ == Program::done        ? Outcome::done
           : ended_ == Program::cancelled ? Outcome::cancelled
                                          : Outcome::failed;
  }
  const Shared<Instance> instance_;
  const MemoryRef function_;
  size_t ended_ = Program::done;
};

class InstanceFunction final : public BoundObject {
public:
  InstanceFunction(Environment& environment, Shared<const Program> program, char* io, size_t bytes)
      : BoundObject(environment), instance_(Shared<Instance>::of(std::move(program), io, false)) {
    charge(bytes);
  }
  void setFunction(napi_value function) { self_ = MemoryRef(environment.env, function, MemoryRef::weak); }

  napi_value call(napi_callback_info info) {
    const InstanceOp op = environment.header.takeOp<InstanceOp>();
    if (op == InstanceOp::dispose) {
      instance_.reset();
      return nullptr;
    }
    if (op == InstanceOp::failedAt) {
      const auto* const call =
          dynamic_cast<const ProgramCall*>(&environment.ended(environment.header.size(HeaderField::slot)));
      environment.header.answer(call ? call->failedAt() : 0);
      return nullptr;
    }
    if (!instance_)
      throwInvalid("use after dispose()");
    if (instance_->isBusy)
      throwInvalid("the instance is running");
    switch (op) {
    case InstanceOp::run:
      environment.header.answer(instance_->run(*environment.scratch, nullptr));
      return nullptr;
    case InstanceOp::start:
      environment.header.answer(
          environment.submit(std::make_unique<ProgramCall>(environment, instance_, self_.array())));
      return nullptr;
    case InstanceOp::gather:
      slotRows(info).gather(environment.header.size(HeaderField::B));
      return nullptr;
    case InstanceOp::scatter:
      slotRows(info).scatter(environment.header.size(HeaderField::B));
      return nullptr;
    default:
      throwInvalid("no such operation");
    }
  }

private:
  // (slots, order, first of it, integers from one to the next, where in io the value is, its outer, inner and rows)
  SlotRows slotRows(napi_callback_info info) const {
    const napi_env env = environment.env;
    const Arguments<8> given(env, info);
    const size_t ioBytes = instance_->program->ioBytes();
    SlotRows found{};
    const size_t at = sizeOf(env, given[4], 0, ioBytes);
    found.outer = sizeOf(env, given[5], 0, ioBytes);
    found.inner = sizeOf(env, given[6], 1, ioBytes);
    found.rows = sizeOf(env, given[7], 1, ioBytes);
    const size_t stretches = (ioBytes - at) / found.inner;
    if (stretches == 0 || found.outer > stretches / found.rows)
      throwInvalid("the rows are not those of the program");
    found.value = instance_->io + at;
    size_t slotBytes, orderLength;
    found.slots = reinterpret_cast<char*>(elements<uint8_t>(env, given[0], slotBytes));
    const int32_t* const order = elements<int32_t>(env, given[1], orderLength);
    const size_t first = sizeOf(env, given[2], 0, orderLength);
    found.stride = sizeOf(env, given[3], 1, orderLength);
    const size_t count = environment.header.size(HeaderField::B);
    if (count > 0 && (first == orderLength || (count - 1) > (orderLength - first - 1) / found.stride))
      throwInvalid("the batch has too many rows");
    found.order = order + first;
    found.slotCount = slotBytes / ((found.outer ? found.outer : 1) * found.inner);
    return found;
  }

  Shared<Instance> instance_;
  MemoryRef self_; // weak
};

class ProgramFunction final : public BoundObject {
public:
  // `bytes` bytes of constants and packed weights, which its function holds.
  ProgramFunction(Environment& environment, Shared<const Program> program, size_t bytes)
      : BoundObject(environment), program_(std::move(program)) {
    charge(bytes);
  }
  void setFunction(napi_value function) { self_ = MemoryRef(environment.env, function, MemoryRef::weak); }

  napi_value call(napi_callback_info info) {
    const ProgramOp op = environment.header.takeOp<ProgramOp>();
    if (op == ProgramOp::dispose) {
      program_.reset();
      return nullptr;
    }
    if (!program_)
      throwInvalid("use after dispose()");
    if (op != ProgramOp::instance)
      throwInvalid("no such operation");
    return instance(info);
  }

private:
  // io, 64 bytes longer than it need be; how many bytes of it are skipped goes to the header.
  napi_value instance(napi_callback_info info) {
    const napi_env env = environment.env;
    const Arguments<1> given(env, info);
    size_t length;
    char* const data = reinterpret_cast<char*>(elements<uint8_t>(env, given[0], length));
    const size_t skipped = (64 - reinterpret_cast<uintptr_t>(data) % 64) % 64;
    if (length < program_->ioBytes() + 64)
      throwInvalid("the memory of inputs and outputs is too short");
    auto instance = std::make_unique<InstanceFunction>(environment, program_, data + skipped, length);
    InstanceFunction& made = *instance;
    const napi_value function = functionOf(std::move(instance));
    made.setFunction(function);
    hold(env, function, "io", given[0]);
    hold(env, function, "program", self_.array());
    environment.header.answer(skipped);
    return function;
  }

  Shared<const Program> program_;
  MemoryRef self_; // weak
};

} // namespace native_rnn
