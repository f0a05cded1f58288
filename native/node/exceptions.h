// Between C++ exceptions and JavaScript's: nothing that is thrown in native code leaves it otherwise.
#pragma once
#include "../protocol/checks.h"
#include <new>
#include <node_api.h>

namespace native_rnn {

// A JavaScript exception is pending, or the environment is going down: there is nothing more to say.
struct ExceptionPending {};

inline void check(napi_status status) {
  if (status != napi_ok)
    throw ExceptionPending{};
}

// Runs the body; what it throws becomes a JavaScript exception.
template <class Body>
napi_value guarded(napi_env env, Body body) {
  try {
    return body();
  } catch (const ExceptionPending&) {
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

} // namespace native_rnn
