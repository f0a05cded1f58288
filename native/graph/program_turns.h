// A run of a program in short turns, for a thread that has other things to do in between. However it is cut, the bits
// are those of Program::run.
#pragma once
#include "program.h"

namespace native_rnn {

class ProgramTurns {
public:
  // `memory`: program.floats() floats, 64-byte aligned; like program and io it outlives this.
  ProgramTurns(const Program& program, char* io, float* memory);
  // Runs one instruction, or a piece of one. False: the run has ended.
  bool advance();
  // How: done, or the number of the instruction that failed, counted from 1.
  size_t ended() const { return ended_; }

private:
  const Program& program_;
  const Run run_;
  std::unique_ptr<Pieces> pieces_; // of the instruction that runs
  size_t at_ = 0, ended_ = Program::done;
};

} // namespace native_rnn
