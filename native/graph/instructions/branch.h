// branch: which of two groups of instructions runs.
#pragma once
#include "../instruction.h"
#include "../reader.h"

namespace native_rnn {

class Branch final : public Instruction {
public:
  struct Decoded {
    std::unique_ptr<Instruction> instruction;
    size_t thenCount, elseCount; // instructions that follow it
  };
  static Decoded decode(Reader&);
  explicit Branch(const View& condition) : condition_(condition) {}
  Ran run(const Run& run) const override { return readOnce<uint8_t>(run.at(condition_)) ? Ran::done : Ran::otherwise; }

private:
  const View condition_;
};

inline Branch::Decoded Branch::decode(Reader& reader) {
  const View condition = reader.source(Element::boolean);
  require(condition.count() == 1);
  const size_t thenCount = reader.whole(0, size_t{1} << 24), elseCount = reader.whole(0, size_t{1} << 24);
  return {std::make_unique<Branch>(condition), thenCount, elseCount};
}

} // namespace native_rnn
