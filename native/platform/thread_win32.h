// Windows' side of thread.h.
#pragma once
#include <cstddef>
#define WIN32_LEAN_AND_MEAN
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>

namespace native_rnn {

class Mutex {
public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;
  void lock() { AcquireSRWLockExclusive(&lock_); }
  void unlock() { ReleaseSRWLockExclusive(&lock_); }

private:
  friend class Condition;
  SRWLOCK lock_ = SRWLOCK_INIT;
};

class Condition {
public:
  Condition() = default;
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;
  void wait(Mutex& mutex) { SleepConditionVariableSRW(&condition_, &mutex.lock_, INFINITE, 0); }
  void wakeOne() { WakeConditionVariable(&condition_); }
  void wakeAll() { WakeAllConditionVariable(&condition_); }

private:
  CONDITION_VARIABLE condition_ = CONDITION_VARIABLE_INIT;
};

inline void yieldThread() { SwitchToThread(); }

inline size_t processors() {
  SYSTEM_INFO info;
  GetSystemInfo(&info);
  return info.dwNumberOfProcessors;
}

using ThreadResult = DWORD;
#define RNN_THREAD_CALL WINAPI

inline bool startThread(ThreadResult(RNN_THREAD_CALL* body)(void*), void* argument) {
  const HANDLE thread = CreateThread(nullptr, 0, body, argument, 0, nullptr);
  if (thread)
    CloseHandle(thread);
  return thread != nullptr;
}

inline void nameCurrentThread(const char*) {}

inline void keepLoaded(const void* addressInside) {
  HMODULE module;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                     static_cast<LPCWSTR>(addressInside), &module);
}

} // namespace native_rnn
