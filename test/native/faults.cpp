// Makes the n-th allocation of the addon fail: scripts/faults.sh links this in through the linker's --wrap. What to do
// comes from a file that the test writes to while this reads it as memory. Knows nothing of the addon.
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <new>
#include <node_api.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

struct Control {
  std::atomic<int64_t> failAt;  // 0: nothing fails
  std::atomic<int64_t> forGood; // 1: everything after it fails too
  std::atomic<int64_t> count;   // attempts since the test set it to 0
  std::atomic<int64_t> live;    // blocks allocated and not freed
};

Control& control() {
  static Control* const mapped = [] {
    const char* const path = getenv("RNN_FAULTS");
    const int file = path ? open(path, O_RDWR) : -1;
    void* const memory =
        file < 0 ? MAP_FAILED : mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED)
      abort();
    close(file);
    return static_cast<Control*>(memory);
  }();
  return *mapped;
}

bool fails() {
  Control& it = control();
  const int64_t number = it.count.fetch_add(1) + 1, failAt = it.failAt.load();
  return failAt && (number == failAt || (number > failAt && it.forGood.load()));
}

void* counted(void* memory) {
  control().live++;
  return memory;
}

void* gone(void* memory) {
  if (memory)
    control().live--;
  return memory;
}

} // namespace

extern "C" {

void* __real_malloc(size_t);
void __real_free(void*);
void* __real__Znwm(size_t);
void* __real__Znam(size_t);
void __real__ZdlPvm(void*, size_t);
void __real__ZdlPv(void*);
void __real__ZdaPv(void*);
int __real_pthread_create(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);

void* __wrap_malloc(size_t bytes) { return fails() ? nullptr : counted(__real_malloc(bytes)); }
void __wrap_free(void* memory) { __real_free(gone(memory)); }
void* __wrap__Znwm(size_t bytes) {
  if (fails())
    throw std::bad_alloc();
  return counted(__real__Znwm(bytes));
}
void* __wrap__Znam(size_t bytes) {
  if (fails())
    throw std::bad_alloc();
  return counted(__real__Znam(bytes));
}
void __wrap__ZdlPvm(void* memory, size_t bytes) { __real__ZdlPvm(gone(memory), bytes); }
void __wrap__ZdlPv(void* memory) { __real__ZdlPv(gone(memory)); }
void __wrap__ZdaPv(void* memory) { __real__ZdaPv(gone(memory)); }
int __wrap_pthread_create(pthread_t* thread, const pthread_attr_t* how, void* (*body)(void*), void* argument) {
  return fails() ? EAGAIN : __real_pthread_create(thread, how, body, argument);
}

// Node's own allocations, where it reports their failure.
#define RNN_WRAP(name, parameters, arguments)                                                                          \
  napi_status __real_##name parameters;                                                                                \
  napi_status __wrap_##name parameters { return fails() ? napi_generic_failure : __real_##name arguments; }
RNN_WRAP(napi_create_function,
         (napi_env env, const char* name, size_t length, napi_callback body, void* data, napi_value* result),
         (env, name, length, body, data, result))
RNN_WRAP(napi_add_finalizer,
         (napi_env env, napi_value value, void* data, napi_finalize finalize, void* hint, napi_ref* result),
         (env, value, data, finalize, hint, result))
RNN_WRAP(napi_create_reference, (napi_env env, napi_value value, uint32_t count, napi_ref* result),
         (env, value, count, result))
RNN_WRAP(napi_define_properties,
         (napi_env env, napi_value object, size_t count, const napi_property_descriptor* properties),
         (env, object, count, properties))
RNN_WRAP(napi_set_instance_data, (napi_env env, void* data, napi_finalize finalize, void* hint),
         (env, data, finalize, hint))
RNN_WRAP(napi_add_env_cleanup_hook, (napi_env env, void (*body)(void*), void* argument), (env, body, argument))
RNN_WRAP(napi_create_threadsafe_function,
         (napi_env env, napi_value function, napi_value resource, napi_value name, size_t queue, size_t threads,
          void* data, napi_finalize finalize, void* context, napi_threadsafe_function_call_js call,
          napi_threadsafe_function* result),
         (env, function, resource, name, queue, threads, data, finalize, context, call, result))
}
