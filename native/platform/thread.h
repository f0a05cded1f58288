// Locks, waiting and starting threads, by the system's own calls. Not <thread> and <condition_variable>: their symbols
// need a newer glibc and libstdc++ than the servers that we support.
//
// What thread_posix.h, thread_win32.h and, for one thread, thread_none.h give:
//   Mutex              lock(), unlock()
//   Condition          wait(Mutex&), wakeOne(), wakeAll()
//   yieldThread()      the rest of this thread's time goes to another one
//   processors()       how many the machine has; at least 1
//   ThreadResult, RNN_THREAD_CALL   what the body of a thread returns, and how the system calls it
//   startThread(body, argument)     a thread that nobody joins; false where the system refuses
//   nameCurrentThread(name)         as tools show it; nothing where the system has no such names
//   keepLoaded(address)             the library with that address stays in memory for good
#pragma once
#include <cstddef>
#if defined(__wasm__)
#include "thread_none.h"
#elif defined(_WIN32)
#include "thread_win32.h"
#else
#include "thread_posix.h"
#endif
#ifdef _MSC_VER
#include <intrin.h>
#endif

namespace native_rnn {

class Guard {
public:
  explicit Guard(Mutex& mutex) : mutex_(mutex) { mutex_.lock(); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() { mutex_.unlock(); }

private:
  Mutex& mutex_;
};

// One turn of a short spin.
inline void pauseThread() {
#if defined(_MSC_VER) && (defined(_M_X64) || defined(_M_IX86))
  _mm_pause();
#elif defined(_MSC_VER)
  YieldProcessor();
#elif defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("isb" ::: "memory");
#endif
}

} // namespace native_rnn
