// Reading a program's instructions, and going from one to the next.
#include "program.h"
#include "../spec/compiler.h"
#include "instructions/branch.h"
#include "instructions/list.h"
#include <algorithm>

namespace native_rnn {

namespace {
constexpr size_t mostBytes = size_t{1} << (isWide ? 46 : 31), mostInstructions = size_t{1} << 24, deepestBranch = 64;
}

Program::Program(const double* numbers, size_t count, const Kernels& kernels, size_t threads, const char* constants,
                 size_t constantBytes, std::vector<Surroundings::Memory> memories)
    : constants_(constants), surroundings_{kernels, threads, std::move(memories), {constantBytes, 0, 0}} {
  Reader head(numbers, numbers + count, surroundings_);
  surroundings_.regionBytes[size_t(Region::io)] = head.whole(0, mostBytes);
  surroundings_.regionBytes[size_t(Region::scratch)] = head.whole(0, mostBytes);
  const size_t instructions = head.whole(0, mostInstructions);
  const double *at = numbers + 3, *const end = numbers + count;
  for (size_t i = 0; i < instructions; i++) {
    Reader prefix(at, end, surroundings_);
    const Opcode opcode = prefix.kind<Opcode>(opcodes);
    const size_t length = prefix.whole(0, prefix.left());
    require(length <= prefix.left());
    at += 2;
    Reader reader(at, at + length, surroundings_);
    Step step{};
    if (opcode == Opcode::branch) {
      Branch::Decoded branch = Branch::decode(reader);
      step = {std::move(branch.instruction), 0, 0, branch.thenCount, branch.elseCount};
    } else {
      step.instruction = decodeInstruction(opcode, reader);
    }
    require(reader.left() == 0);
    ownFloats_ = std::max(ownFloats_, step.instruction->floats());
    steps_.push_back(std::move(step));
    at += length;
  }
  if (at != end)
    throwInvalid("a program has numbers that belong to no instruction");
  link(0, steps_.size(), steps_.size(), 0);
  scratchFloats_ = aligned((surroundings_.regionBytes[size_t(Region::scratch)] + 3) / sizeof(float));
}

// Steps [begin, end) follow each other, and `exit` follows them.
void Program::link(size_t begin, size_t end, size_t exit, size_t depth) {
  require(depth <= deepestBranch);
  for (size_t i = begin, following; i < end; i = following) {
    Step& step = steps_[i];
    const size_t thenBegin = i + 1;
    require(step.thenCount <= end - thenBegin && step.elseCount <= end - thenBegin - step.thenCount);
    const size_t elseBegin = thenBegin + step.thenCount;
    following = elseBegin + step.elseCount;
    const size_t after = following < end ? following : exit;
    step.next = step.thenCount ? thenBegin : after;
    step.otherwise = step.elseCount ? elseBegin : after;
    if (step.thenCount)
      link(thenBegin, elseBegin, after, depth + 1);
    if (step.elseCount)
      link(elseBegin, following, after, depth + 1);
  }
}

Run Program::runOn(char* io, float* memory, const std::atomic<bool>* cancelled) const {
  RNN_ASSERT(isAligned(memory));
  return {{const_cast<char*>(constants_), io, reinterpret_cast<char*>(memory)}, memory + scratchFloats_, cancelled};
}

size_t Program::run(char* io, float* memory, const std::atomic<bool>* cancelled) const {
  const Run run = runOn(io, memory, cancelled);
  for (size_t i = 0;;) {
    if (cancelled && cancelled->load(std::memory_order_relaxed))
      return Program::cancelled;
    if (i == steps_.size())
      return done;
    const Step& step = steps_[i];
    const Ran ran = step.instruction->run(run);
    if (ran == Ran::failed)
      return i + 1;
    i = ran == Ran::done ? step.next : step.otherwise;
  }
}

} // namespace native_rnn
