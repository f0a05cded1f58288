// Linux's and macOS's side of thread.h, and the versions of glibc's symbols that the addon asks for.
#pragma once
#include <cstddef>
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

// glibc 2.34 moved these from libpthread and libdl into libc under a new version, and a build made there would not load
// on an older system. The old version is still there, and is the same function, so the addon asks for that one.
#if defined(__GLIBC__) && !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#if defined(__x86_64__) && defined(__LP64__)
#define RNN_OLD_GLIBC "GLIBC_2.2.5"
#elif defined(__aarch64__)
#define RNN_OLD_GLIBC "GLIBC_2.17"
#endif
#ifdef RNN_OLD_GLIBC
__asm__(".symver pthread_create, pthread_create@" RNN_OLD_GLIBC);
__asm__(".symver dladdr, dladdr@" RNN_OLD_GLIBC);
__asm__(".symver dlopen, dlopen@" RNN_OLD_GLIBC);
#endif
#endif

namespace native_rnn {

class Mutex {
public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;
  void lock() { pthread_mutex_lock(&lock_); }
  void unlock() { pthread_mutex_unlock(&lock_); }

private:
  friend class Condition;
  pthread_mutex_t lock_ = PTHREAD_MUTEX_INITIALIZER;
};

class Condition {
public:
  Condition() = default;
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;
  void wait(Mutex& mutex) { pthread_cond_wait(&condition_, &mutex.lock_); }
  void wakeOne() { pthread_cond_signal(&condition_); }
  void wakeAll() { pthread_cond_broadcast(&condition_); }

private:
  pthread_cond_t condition_ = PTHREAD_COND_INITIALIZER;
};

inline void yieldThread() { sched_yield(); }

inline size_t processors() {
  const long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? static_cast<size_t>(count) : 1;
}

using ThreadResult = void*;
#define RNN_THREAD_CALL

inline bool startThread(ThreadResult(RNN_THREAD_CALL* body)(void*), void* argument) {
  pthread_t thread;
  return pthread_create(&thread, nullptr, body, argument) == 0;
}

inline void nameCurrentThread([[maybe_unused]] const char* name) {
#ifdef __linux__
  prctl(PR_SET_NAME, name, 0, 0, 0);
#endif
}

inline void keepLoaded(const void* addressInside) {
  Dl_info info;
  if (dladdr(addressInside, &info) && info.dli_fname)
    dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

} // namespace native_rnn
