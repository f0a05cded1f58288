// A program: instructions over three regions of memory, read and checked once. Knows no Node, and no instruction.
#pragma once
#include "../platform/memory.h"
#include "instruction.h"
#include "reader.h"

namespace native_rnn {

// Immutable; any number of threads may run it at once, each on its own io and with its own Scratch.
class Program {
public:
  // How a run ended: done, cancelled, or the number of the instruction that failed, counted from 1.
  static constexpr size_t done = 0, cancelled = SIZE_MAX;

  // `constants`: constantBytes bytes, 8-byte aligned; like the memories they outlive the program. Throws where a number
  // is not what it must be.
  Program(const double* numbers, size_t count, const Kernels&, size_t threads, const char* constants,
          size_t constantBytes, std::vector<Surroundings::Memory> memories);
  // Floats of scratch that a run needs; a recurrent layer may ask for more on its way.
  size_t floats() const { return scratchFloats_ + ownFloats_; }
  size_t ioBytes() const { return surroundings_.regionBytes[size_t(Region::io)]; }
  // `io`: ioBytes bytes, 8-byte aligned. Throws std::bad_alloc, before anything is written to io where this is the
  // first run, and may throw it later.
  size_t run(char* io, Scratch& scratch, const std::atomic<bool>* cancelled) const {
    return run(io, scratch.floats(floats()), cancelled);
  }
  // On `memory`: floats() floats, 64-byte aligned.
  size_t run(char* io, float* memory, const std::atomic<bool>* cancelled) const;

private:
  friend class ProgramTurns;
  struct Step {
    std::unique_ptr<Instruction> instruction;
    size_t next, otherwise; // the step after it, always a later one; and where a branch's condition does not hold
    size_t thenCount, elseCount;
  };
  Run runOn(char* io, float* memory, const std::atomic<bool>* cancelled) const;
  void link(size_t begin, size_t end, size_t exit, size_t depth);

  const char* constants_;
  Surroundings surroundings_;
  std::vector<Step> steps_;
  size_t scratchFloats_ = 0, ownFloats_ = 0;
};

} // namespace native_rnn
