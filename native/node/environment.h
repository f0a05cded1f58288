// One JavaScript thread's side of the addon: the header and the arena, calls that run on the pool, errors, and
// functions bound to C++ objects. Part of addon.cpp; with its neighbours in this folder the only code that knows
// Node-API.
//
// A network, a stream, a batch core and a linear layer are one JavaScript function each, bound to its C++ object by the
// function's data pointer: that is three to four times cheaper to call than a method, and no value from outside can be
// mistaken for such an object. What a call is to do, and its numbers, are written into `header` before the call, which
// is far cheaper than arguments. Small arrays go through `arena`, large ones are arguments.
#pragma once
#include "../async/async_call.h"
#include <initializer_list>
#include <memory>
#include <node_api.h>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace native_rnn {

// Places in the header; lib/native.ts has the same list. `placeOp` is what to do: whoever reads it sets it back to 0,
// which is the most frequent act of each function (a forward pass in the arena, a live stream's step).
enum HeaderField : size_t { fieldOp, fieldT, fieldB, fieldFlags, fieldSlot, headerLength = 16 };

[[noreturn]] inline void throwInvalid(const char* what) {
  throw std::invalid_argument(std::string("native-rnn: ") + what);
}

// A JavaScript exception is pending, or the environment is going down: there is nothing more to say.
struct Pending {};
inline void check(napi_status status) {
  if (status != napi_ok)
    throw Pending{};
}

// Values that JavaScript names by their slot; a default value stands for none.
template <class Value>
class Slots {
public:
  // The slot that put() takes next. Makes room for that and for the return of all: nothing else here fails.
  size_t next() {
    if (free_.empty()) {
      free_.reserve(values_.size() + 1);
      values_.emplace_back();
      free_.push_back(values_.size() - 1);
    }
    return free_.back();
  }
  void put(Value value) {
    values_[free_.back()] = std::move(value);
    free_.pop_back();
  }
  Value take(size_t slot) {
    free_.push_back(slot);
    return std::exchange(values_[slot], Value{});
  }
  // Null where there is no such slot.
  const Value* find(size_t slot) const { return slot < values_.size() ? &values_[slot] : nullptr; }
  const std::vector<Value>& all() const { return values_; }
  void clear() { values_.clear(), free_.clear(); }

private:
  std::vector<Value> values_;
  std::vector<size_t> free_;
};

// A live stream and its arena. All streams step through one function, and `placeSlot` says which: what calls one
// function only is compiled to a direct call, half as long as a call of one function a stream.
struct LiveStream {
  class Stream* core = nullptr;
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

  int32_t takeOp() {
    const int32_t op = header[fieldOp];
    header[fieldOp] = 0;
    return op;
  }
  size_t number(HeaderField place) const {
    if (header[place] < 0)
      throwInvalid("a number in the header is negative");
    return static_cast<size_t>(header[place]);
  }
  // Tells the garbage collector of memory that it does not see.
  void adjust(int64_t bytes) const {
    int64_t total;
    if (bytes)
      napi_adjust_external_memory(env, bytes, &total);
  }
  // Bounded: what one huge call needed is not kept.
  void trimScratch() {
    if (scratch->bytes() <= size_t{32} << 20)
      return;
    if (Scratch* const fresh = new (std::nothrow) Scratch)
      scratch.reset(fresh);
  }

  // Calls on the pool. From here to the end of the environment each is in the book under its slot.
  CompletionQueue& completions() { return completions_; }
  // settle(slot, outcome) is called for each call that ended. Calls on the pool are possible from then on.
  void openNotifier(napi_value settle);
  bool isOpen() const { return notifier_ != nullptr; }
  size_t submit(std::unique_ptr<AsyncCall>);
  AsyncCall& ended(size_t slot);
  std::unique_ptr<AsyncCall> remove(size_t slot);
  // True: it had not begun and is out of the book. False: it will stop soon, and settle is called as ever.
  bool cancel(size_t slot);

  Slots<LiveStream> streams;
  const napi_env env;
  int32_t* header = nullptr;
  float* arena = nullptr;
  size_t arenaFloats = 0;
  std::unique_ptr<Scratch> scratch = std::make_unique<Scratch>();

private:
  ~Environment() = default;
  static void notify(void* self);
  static void deliver(napi_env env, napi_value settle, void* self, void*);
  static void close(void* self);
  void idle();

  size_t users_ = 1;
  CompletionQueue completions_;
  napi_threadsafe_function notifier_ = nullptr;
  AsyncCall& call(size_t slot) const;

  Slots<std::unique_ptr<AsyncCall>> pending_;
  size_t running_ = 0;
};

// What a bound function is bound to.
class BoundObject {
public:
  explicit BoundObject(Environment& environment) : environment(environment) { environment.retain(); }
  BoundObject(const BoundObject&) = delete;
  BoundObject& operator=(const BoundObject&) = delete;
  virtual ~BoundObject() {
    environment.adjust(-charged_);
    environment.release();
  }
  Environment& environment;

protected:
  // Tells the garbage collector that so much is freed only when the function is: V8 does not count shared buffers.
  void charge(size_t bytes) {
    environment.adjust(static_cast<int64_t>(bytes));
    charged_ += static_cast<int64_t>(bytes);
  }

private:
  int64_t charged_ = 0;
};

// Runs the body; what it throws becomes a JavaScript exception.
template <class Body>
napi_value guarded(napi_env env, Body body) {
  try {
    return body();
  } catch (const Pending&) {
    bool pending = true;
    if (napi_is_exception_pending(env, &pending) == napi_ok && !pending) {
      napi_throw_error(env, nullptr, "native-rnn: this thread is shutting down");
    }
  } catch (const std::bad_alloc&) {
    napi_throw_range_error(env, nullptr, "native-rnn: out of memory");
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
  }
  return nullptr;
}

template <class Owner>
napi_value enter(napi_env env, napi_callback_info info) {
  void* data;
  if (napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data) != napi_ok)
    return nullptr;
  return guarded(env, [&] { return static_cast<Owner*>(data)->call(info); });
}

// Keeps a value alive as long as the function: the memory that the function's object points into.
inline void keep(napi_env env, napi_value function, const char* name, napi_value value) {
  check(napi_set_named_property(env, function, name, value));
}

// The function bound to this object, which then belongs to it.
template <class Owner>
napi_value functionOf(std::unique_ptr<Owner> owner) {
  const napi_env env = owner->environment.env;
  napi_value function;
  check(napi_create_function(env, nullptr, 0, &enter<Owner>, owner.get(), &function));
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<Owner*>(data); };
  check(napi_add_finalizer(env, function, owner.get(), finalize, nullptr, nullptr));
  owner.release();
  return function;
}

template <size_t count>
struct Arguments {
  Arguments(napi_env env, napi_callback_info info) {
    size_t given = count;
    check(napi_get_cb_info(env, info, &given, values, nullptr, nullptr));
  }
  napi_value operator[](size_t index) const { return values[index]; }
  napi_value values[count];
};

// The elements of a typed array. A pointer holds only until JavaScript runs again, so arrays are read last.
template <class Element>
Element* elements(napi_env env, napi_value value, napi_typedarray_type wanted, size_t& length) {
  napi_typedarray_type type;
  void* data;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok || type != wanted) {
    throwInvalid("an array is missing or of the wrong type");
  }
  return static_cast<Element*>(data);
}
inline float* floats(napi_env env, napi_value value, size_t length) {
  size_t found;
  float* const data = elements<float>(env, value, napi_float32_array, found);
  if (found != length)
    throwInvalid("an array has the wrong length");
  return data;
}

inline bool isUndefined(napi_env env, napi_value value) {
  napi_valuetype type;
  return napi_typeof(env, value, &type) == napi_ok && type == napi_undefined;
}

} // namespace native_rnn
