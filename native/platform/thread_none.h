// WebAssembly's side of thread.h: one thread, which no other waits for.
#pragma once
#include <cstddef>

namespace native_rnn {

class Mutex {
public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;
  void lock() {}
  void unlock() {}
};

class Condition {
public:
  Condition() = default;
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;
  void wait(Mutex&) { __builtin_trap(); } // nobody could wake it
  void wakeOne() {}
  void wakeAll() {}
};

inline void yieldThread() {}
inline size_t processors() { return 1; }

using ThreadResult = void*;
#define RNN_THREAD_CALL

inline bool startThread(ThreadResult(RNN_THREAD_CALL*)(void*), void*) { return false; }
inline void nameCurrentThread(const char*) {}
inline void keepLoaded(const void*) {}

} // namespace native_rnn
