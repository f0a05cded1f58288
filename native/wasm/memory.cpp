// Memory of the module: for the host's arrays, for objects, and what happens where there is none.
#include "../platform/failures.h"
#include "instance.h"
#include <algorithm>
#include <cstdlib>
#include <new>

namespace native_rnn {

Failure lastFailure = Failure::none;
const char* lastFailureText = "";

Instance& instance() {
  alignas(Instance) static unsigned char memory[sizeof(Instance)];
  static Instance* made = nullptr;
  if (!made) {
    made = new (memory) Instance{};
    made->header.setMemory(made->headerFields);
    size_t count;
    made->kernels = kernelTables(count)[0];
  }
  return *made;
}

static size_t memoryBytes() { return __builtin_wasm_memory_size(0) << 16; }

// Whether there is so much, which is given back. A compiler leaves out memory that nobody looks at.
static bool isThere(size_t bytes) {
  void* volatile memory = std::malloc(bytes);
  std::free(memory);
  return memory != nullptr;
}

// A growth of the memory costs the host milliseconds and calls its collector, however little it is: so it comes with an
// eighth more, and what thousands of streams take is there before they ask.
static void growAhead(size_t before) {
  if (memoryBytes() > before)
    isThere(std::max(before / 8, size_t{1} << 20));
}

void* allocate(double bytes) {
  if (!(bytes <= mostBytes))
    return nullptr;
  const size_t before = memoryBytes();
  void* const memory = std::aligned_alloc(64, roundUp(bytes < 64 ? 64 : static_cast<size_t>(bytes), 64));
  growAhead(before);
  return memory;
}

void release(void* memory) { std::free(memory); }

bool hasHeadroom() {
  const size_t before = memoryBytes();
  // The layers of the largest network take half of it.
  const bool is = isThere(size_t{256} << 10);
  growAhead(before);
  return is;
}

void trimScratch() {
  Scratch& scratch = instance().scratch;
  if (scratch.bytes() <= size_t{32} << 20)
    return;
  scratch.~Scratch();
  new (&scratch) Scratch;
}

} // namespace native_rnn

using namespace native_rnn;

// Objects ask for little, after hasHeadroom().
void* operator new(size_t bytes) {
  void* const memory = std::malloc(bytes ? bytes : 1);
  if (!memory)
    failOutOfMemory();
  return memory;
}
void* operator new[](size_t bytes) { return operator new(bytes); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }

// Where the header's fields are; the arena.
RNN_EXPORT(header)()->int32_t* { return instance().headerFields; }
RNN_EXPORT(arena)()->float* { return instance().arena; }
// Why the last trap was; asking forgets it. Its text, that ends with a zero byte.
RNN_EXPORT(failure)()->int {
  const Failure failure = lastFailure;
  lastFailure = Failure::none;
  return static_cast<int>(failure);
}
RNN_EXPORT(failureText)()->const char* { return lastFailureText; }

// 0: there is no memory.
RNN_EXPORT(allocate)(double bytes)->void* { return native_rnn::allocate(bytes); }
RNN_EXPORT(release)(void* memory)->void { native_rnn::release(memory); }

// Goes so many calls deep and comes back. The host's stack ends here, before anything is changed, rather than in the
// middle of that.
RNN_EXPORT(descend)(int depth)->int {
  static volatile int never = 0;
  return depth > 0 ? descend(depth - 1) + never : never;
}
