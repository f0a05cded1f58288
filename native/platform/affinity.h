// The processors that a thread may use. Only Linux is asked, for only it is known to need help: where processors are
// few and the waker has just been woken itself, it wakes a thread on its waker's processor, and one of the two waits.
#pragma once
#ifdef __linux__
#include <cstdlib>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace native_rnn {

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

} // namespace native_rnn
