// What all exported functions share: one thread's header and arena, its scratch, and how they ask for memory. A
// function without memory for its work gives 0, or traps with a note of why (platform/failures.h); the host then puts
// the stack pointer back. Nothing that is traps while something else is half changed: memory for all of it is asked for
// before.
#pragma once
#include "../kernels/dispatch.h"
#include "../platform/memory.h"
#include "../protocol/header.h"

// A function that the host calls by its name.
#define RNN_EXPORT(name) extern "C" __attribute__((export_name(#name))) auto name

namespace native_rnn {

// Floats of the arena: lib/backends/protocol.ts says the same.
constexpr size_t arenaFloats = 8192;

struct Instance {
  alignas(64) int32_t headerFields[headerLength];
  alignas(64) float arena[arenaFloats];
  Header header;
  Scratch scratch;
  const Kernels* kernels;
};
// Made at the first call.
Instance& instance();

// 64-byte aligned; null where there is no memory. Counted in double precision, so that no size wraps around.
void* allocate(double bytes);
void release(void* memory);

// Whether there is memory for the small things of an object: vectors, its own fields. What asks for it right after this
// gets it.
bool hasHeadroom();

// Calls that needed much scratch do not keep it.
void trimScratch();

// The most that any object or call may ask for: half of what a module can ever have.
constexpr double mostBytes = 2147483648.0;

} // namespace native_rnn
