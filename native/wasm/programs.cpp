// Programs: made of their numbers, run at once or in turns, on inputs and outputs that the host copies in and out.
#include "../graph/program_turns.h"
#include "instance.h"

using namespace native_rnn;

namespace {

struct OwnProgram {
  OwnProgram(const double* numbers, size_t count, void* constants, size_t constantBytes,
             std::vector<Surroundings::Memory> memories)
      : constants(constants), program(numbers, count, *instance().kernels, 1, static_cast<const char*>(constants),
                                      constantBytes, std::move(memories)) {}
  ~OwnProgram() { native_rnn::release(constants); }
  void* const constants;
  const Program program;
  size_t ioBytes() const { return roundUp(program.ioBytes(), 64); }
};

struct OwnTurns {
  // `memory`: io, and scratch behind it.
  OwnTurns(const OwnProgram& own, char* memory)
      : memory(memory), turns(own.program, memory, reinterpret_cast<float*>(memory + own.ioBytes())) {}
  ~OwnTurns() { native_rnn::release(memory); }
  char* const memory;
  ProgramTurns turns;
};

// What an instruction takes for each of its numbers, its views and lists included.
constexpr double bytesPerNumber = 64;

// Whether there is so much memory: what asks for it right after this gets it.
bool hasRoom(double bytes) {
  void* const memory = native_rnn::allocate(bytes);
  native_rnn::release(memory);
  return memory != nullptr;
}

// Inputs and outputs of the run that is not in turns.
char* runIo = nullptr;
size_t runIoBytes = 0;

} // namespace

// `memories`: the address of each packed weights and how many floats they are. The program has the constants from now
// on; the weights outlive it. Null where there is no memory.
RNN_EXPORT(programNew)
(const double* numbers, size_t count, void* constants, size_t constantBytes, const uint32_t* memories,
 size_t memoryCount)
    ->OwnProgram* {
  const double regions = numbers[0] + numbers[1] + double(constantBytes);
  const double objects = double(count) * bytesPerNumber + double(memoryCount) * sizeof(Surroundings::Memory);
  if (!(regions <= mostBytes) || !hasRoom(objects) || !hasHeadroom())
    return nullptr;
  std::vector<Surroundings::Memory> list(memoryCount);
  for (size_t i = 0; i < memoryCount; i++)
    list[i] = {reinterpret_cast<float*>(memories[2 * i]), memories[2 * i + 1]};
  return new OwnProgram(numbers, count, constants, constantBytes, std::move(list));
}
RNN_EXPORT(programFree)(OwnProgram* own)->void { delete own; }

// Memory for the inputs and outputs of the next run, until another program asks for it; null where there is none.
RNN_EXPORT(programIo)(const OwnProgram* own)->void* {
  const size_t bytes = own->ioBytes(), much = size_t{32} << 20;
  if (bytes > runIoBytes || (runIoBytes > much && bytes <= much)) {
    native_rnn::release(runIo);
    runIo = static_cast<char*>(native_rnn::allocate(double(bytes)));
    runIoBytes = runIo ? bytes : 0;
  }
  return runIo;
}
// Gives 0, or the number of the instruction that failed, counted from 1.
RNN_EXPORT(programRun)(const OwnProgram* own)->size_t {
  const size_t ended = own->program.run(runIo, instance().scratch, nullptr);
  trimScratch();
  return ended;
}

// A run in turns; null where there is no memory.
RNN_EXPORT(turnsNew)(const OwnProgram* own)->OwnTurns* {
  void* const memory = native_rnn::allocate(double(own->ioBytes()) + double(own->program.floats()) * sizeof(float));
  if (memory && hasHeadroom())
    return new OwnTurns(*own, static_cast<char*>(memory));
  native_rnn::release(memory);
  return nullptr;
}
RNN_EXPORT(turnsIo)(const OwnTurns* own)->void* { return own->memory; }
// Runs an instruction, or a piece of one. False: the run has ended.
RNN_EXPORT(turnsAdvance)(OwnTurns* own)->bool { return own->turns.advance(); }
// 0, or the number of the instruction that failed, counted from 1.
RNN_EXPORT(turnsEnded)(const OwnTurns* own)->size_t { return own->turns.ended(); }
RNN_EXPORT(turnsFree)(OwnTurns* own)->void { delete own; }
