// JavaScript functions that are C++ objects. A network, a stream, a batch and a linear layer are one function each,
// bound to its object by the function's data pointer: that is three to four times cheaper to call than a method, and no
// value from outside can be mistaken for such an object.
#pragma once
#include "arguments.h"
#include "environment.h"

namespace native_rnn {

// What a bound function is bound to; a class of it has `napi_value call(napi_callback_info)`.
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

template <class Object>
napi_value callObject(napi_env env, napi_callback_info info) {
  void* data;
  if (napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data) != napi_ok)
    return nullptr;
  return guarded(env, [&] { return static_cast<Object*>(data)->call(info); });
}

// The function bound to this object, which then belongs to it.
template <class Object>
napi_value functionOf(std::unique_ptr<Object> object) {
  const napi_env env = object->environment.env;
  napi_value function;
  check(napi_create_function(env, nullptr, 0, &callObject<Object>, object.get(), &function));
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<Object*>(data); };
  check(napi_add_finalizer(env, function, object.get(), finalize, nullptr, nullptr));
  object.release();
  return function;
}

} // namespace native_rnn
