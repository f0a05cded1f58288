// Locks, waiting and starting threads over the system's own calls: the one file that knows pthread and Win32.
// Not <thread> and <condition_variable>: their symbols need a newer glibc and libstdc++ than the servers that we
// support.
#pragma once
#include <cstddef>
#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>
#else
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>
#endif
#ifdef __linux__
#include <cstdlib>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif
#ifdef _MSC_VER
#include <intrin.h>
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
#ifdef _WIN32
  void lock() { AcquireSRWLockExclusive(&lock_); }
  void unlock() { ReleaseSRWLockExclusive(&lock_); }

private:
  SRWLOCK lock_ = SRWLOCK_INIT;
#else
  void lock() { pthread_mutex_lock(&lock_); }
  void unlock() { pthread_mutex_unlock(&lock_); }

private:
  pthread_mutex_t lock_ = PTHREAD_MUTEX_INITIALIZER;
#endif
  friend class Condition;
};

class Guard {
public:
  explicit Guard(Mutex& mutex) : mutex_(mutex) { mutex_.lock(); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() { mutex_.unlock(); }

private:
  Mutex& mutex_;
};

class Condition {
public:
  Condition() = default;
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;
#ifdef _WIN32
  void wait(Mutex& mutex) { SleepConditionVariableSRW(&condition_, &mutex.lock_, INFINITE, 0); }
  void wakeOne() { WakeConditionVariable(&condition_); }
  void wakeAll() { WakeAllConditionVariable(&condition_); }

private:
  CONDITION_VARIABLE condition_ = CONDITION_VARIABLE_INIT;
#else
  void wait(Mutex& mutex) { pthread_cond_wait(&condition_, &mutex.lock_); }
  void wakeOne() { pthread_cond_signal(&condition_); }
  void wakeAll() { pthread_cond_broadcast(&condition_); }

private:
  pthread_cond_t condition_ = PTHREAD_COND_INITIALIZER;
#endif
};

// Gives the rest of this thread's time to another one.
inline void yieldThread() {
#ifdef _WIN32
  SwitchToThread();
#else
  sched_yield();
#endif
}

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

inline size_t processors() {
#ifdef _WIN32
  SYSTEM_INFO info;
  GetSystemInfo(&info);
  return info.dwNumberOfProcessors;
#else
  const long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? static_cast<size_t>(count) : 1;
#endif
}

#ifdef _WIN32
using ThreadResult = DWORD;
#define RNN_THREAD_CALL WINAPI
#else
using ThreadResult = void*;
#define RNN_THREAD_CALL
#endif

// A thread that nobody joins; false where the system refuses.
inline bool startThread(ThreadResult(RNN_THREAD_CALL* body)(void*), void* argument) {
#ifdef _WIN32
  const HANDLE thread = CreateThread(nullptr, 0, body, argument, 0, nullptr);
  if (thread)
    CloseHandle(thread);
  return thread != nullptr;
#else
  pthread_t thread;
  return pthread_create(&thread, nullptr, body, argument) == 0;
#endif
}

// A thread's number, and the processors that it may use. Only Linux is asked, for only it is known to need help: it
// wakes a thread on its waker's processor where there are few and the waker has just been woken too, and one of the two
// waits.
#ifdef __linux__
using ThreadId = pid_t;
using Processors = cpu_set_t;
inline ThreadId currentThread() { return static_cast<pid_t>(syscall(SYS_gettid)); }
inline bool readProcessors(ThreadId thread, Processors& all) {
  return sched_getaffinity(thread, sizeof(all), &all) == 0;
}
inline void useProcessors(ThreadId thread, const Processors& these) {
  sched_setaffinity(thread, sizeof(these), &these);
}
inline bool sameProcessors(const Processors& a, const Processors& b) { return CPU_EQUAL(&a, &b); }
// Takes out the one that the caller runs on; false where none is left.
inline bool withoutThisOne(Processors& these) {
  const int here = sched_getcpu();
  if (here < 0)
    return false;
  CPU_CLR(here, &these);
  return CPU_COUNT(&these) > 0;
}
// Whether choosing is allowed: a service of systemd whose system calls are filtered may be killed for it
// (`SystemCallFilter=~@resources`).
inline bool mayChooseProcessors() {
  static const bool filtered = getenv("INVOCATION_ID") && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2; // systemd's mark
  return !filtered;
}
#else
using ThreadId = int;
struct Processors {};
inline ThreadId currentThread() { return 0; }
inline bool readProcessors(ThreadId, Processors&) { return false; }
inline void useProcessors(ThreadId, const Processors&) {}
inline bool sameProcessors(const Processors&, const Processors&) { return true; }
inline bool withoutThisOne(Processors&) { return false; }
inline bool mayChooseProcessors() { return false; }
#endif

// Keeps this library in memory for good: Node unloads an addon with the last thread that uses it, and threads of ours
// that sleep then would wake in code that is gone.
inline void keepLoaded(const void* addressInside) {
#ifdef _WIN32
  HMODULE module;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                     static_cast<LPCWSTR>(addressInside), &module);
#else
  Dl_info info;
  if (dladdr(addressInside, &info) && info.dli_fname)
    dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
#endif
}

} // namespace native_rnn
