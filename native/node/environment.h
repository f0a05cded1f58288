// One JavaScript thread's side of the addon: the header and the arena that both sides see, live streams by slot, and
// the calls that run on the pool. With its neighbours in this folder the only code that knows Node-API.
#pragma once
#include "../async/async_call.h"
#include "../protocol/forward_request.h"
#include "memory_ref.h"
#include "slots.h"
#include <memory>

namespace native_rnn {

class Stream;

// What a step needs. All streams step through one function, and the header's `slot` says which: what calls one function
// only is compiled to a direct call, half as long as a call of one function a stream.
struct LiveStream {
  Stream* core = nullptr;
  const float* input = nullptr;
  float* output = nullptr;
};

// Counted by the functions bound to it, as the order in which an environment finalizes them is not ours.
class Environment {
public:
  explicit Environment(napi_env env) : env(env), completions_(&Environment::notify, this) {}
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  void retain() { users_++; }
  void release() {
    if (--users_ == 0)
      delete this;
  }

  // Two JavaScript arrays, and what keeps them.
  void setArrays(int32_t* headerFields, MemoryRef headerRef, float* arena, size_t arenaFloats, MemoryRef arenaRef) {
    header.setMemory(headerFields);
    headerRef_ = std::move(headerRef);
    arena_ = arena;
    arenaFloats_ = arenaFloats;
    arenaRef_ = std::move(arenaRef);
  }
  ArenaCursor arena() const { return ArenaCursor(arena_, arenaFloats_); }
  // Tells the garbage collector of memory that it does not see.
  void adjust(int64_t bytes) const {
    int64_t total;
    if (bytes)
      napi_adjust_external_memory(env, bytes, &total);
  }
  // Bounded: what one huge call needed is not kept.
  void trimScratch();

  // Calls on the pool. Each is pending, under its slot, until it is removed or the environment ends.
  CompletionQueue& completions() { return completions_; }
  // settle(slot, outcome) is called for each call that ended. Calls on the pool are possible from then on.
  void openNotifier(napi_value settle);
  bool isOpen() const { return notifier_ != nullptr; }
  size_t submit(std::unique_ptr<AsyncCall>);
  AsyncCall& ended(size_t slot);
  std::unique_ptr<AsyncCall> remove(size_t slot);
  // True: it had not begun and is removed. False: it will stop soon, and settle is called as ever.
  bool cancel(size_t slot);

  const napi_env env;
  Header header;
  Slots<LiveStream> streams;
  std::unique_ptr<Scratch> scratch = std::make_unique<Scratch>();

private:
  ~Environment() = default;
  static void notify(void* self);
  static void deliver(napi_env env, napi_value settle, void* self, void*);
  static void close(void* self);
  void settle(napi_value settle, const AsyncCall&) const;
  void callIsOver();
  AsyncCall& call(size_t slot) const;

  size_t users_ = 1;
  float* arena_ = nullptr;
  size_t arenaFloats_ = 0;
  MemoryRef headerRef_, arenaRef_;
  CompletionQueue completions_;
  napi_threadsafe_function notifier_ = nullptr;
  Slots<std::unique_ptr<AsyncCall>> pending_;
  size_t running_ = 0; // pending calls that have not ended; the process waits while there are any
};

} // namespace native_rnn
