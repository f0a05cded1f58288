// From one instruction, or piece of one, to the next.
#include "program_turns.h"

namespace native_rnn {

ProgramTurns::ProgramTurns(const Program& program, char* io, float* memory)
    : program_(program), run_(program.runOn(io, memory, nullptr)) {}

bool ProgramTurns::advance() {
  if (at_ == program_.steps_.size())
    return false;
  const Program::Step& step = program_.steps_[at_];
  if (!pieces_)
    pieces_ = step.instruction->pieces(run_);
  Ran ran = Ran::done;
  if (!pieces_)
    ran = step.instruction->run(run_);
  else if (pieces_->advance())
    return true;
  pieces_.reset();
  if (ran == Ran::failed) {
    ended_ = at_ + 1;
    at_ = program_.steps_.size();
    return false;
  }
  at_ = ran == Ran::done ? step.next : step.otherwise;
  return at_ < program_.steps_.size();
}

} // namespace native_rnn
