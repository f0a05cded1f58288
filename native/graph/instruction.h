// One instruction of a program, ready to run, and what a run gives it. Knows no opcode.
#pragma once
#include "view.h"
#include <atomic>
#include <cstring>
#include <memory>

namespace native_rnn {

// The memory of one run.
struct Run {
  char* regions[native_rnn::regions]; // nobody writes to the constants
  float* own;                         // Instruction::floats() floats for the one that runs; 64-byte aligned
  const std::atomic<bool>* cancelled;

  char* at(const View& view) const { return regions[size_t(view.region)] + view.offset; }
  float* floats(const View& view) const { return reinterpret_cast<float*>(at(view)); }
};

enum class Ran : uint8_t {
  done,
  otherwise, // of a branch: its condition does not hold
  failed     // a value that only a run knows is out of range
};

// A run of one instruction that is taken in parts, none of which takes long.
class Pieces {
public:
  virtual ~Pieces() = default;
  // Runs one; false: it was the last.
  virtual bool advance() = 0;
};

// Immutable; any number of threads may run it at once, each on its own memory.
class Instruction {
public:
  Instruction() = default;
  Instruction(const Instruction&) = delete;
  Instruction& operator=(const Instruction&) = delete;
  virtual ~Instruction() = default;
  virtual Ran run(const Run&) const = 0;
  // The same as run() in pieces, which are over before it; null where it is one piece, or fails.
  virtual std::unique_ptr<Pieces> pieces(const Run&) const { return nullptr; }
  // Floats of memory that it needs beside its operands, of any content.
  virtual size_t floats() const { return 0; }
};

// A value that is looked at once: memory may be shared with other threads, and what was checked must be what is used.
template <class Value>
Value readOnce(const char* at) {
  return *reinterpret_cast<const volatile Value*>(at);
}

} // namespace native_rnn
