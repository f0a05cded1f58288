// The life of memory that JavaScript owns and native code points into. What keeps it no script can shadow or remove:
// nothing is a property that is set, for a setter or a read-only name on a prototype would take its place.
#pragma once
#include "exceptions.h"
#include <utility>

namespace native_rnn {

// Makes a function keep an array, and so the memory under it: both go in the same garbage collection. For memory that
// may be large. A reference would keep it until the function's finalizer has run, which waits for a turn of the event
// loop: a loop that makes and drops layers would fill the machine. The property is the function's own, defined and not
// set, and can be neither written nor deleted.
inline void hold(napi_env env, napi_value function, const char* name, napi_value array) {
  const napi_property_descriptor property = {name, nullptr, nullptr, nullptr, nullptr, array, napi_default, nullptr};
  check(napi_define_properties(env, function, 1, &property));
}

// Keeps an array, and so the memory under it, alive for as long as this object; a weak one only finds it again. The
// array is of shared memory, or of a buffer that nobody outside the package has: neither can be detached.
class MemoryRef {
public:
  enum Strength : uint32_t { weak, strong };

  MemoryRef() = default;
  MemoryRef(napi_env env, napi_value array, Strength strength = strong) : env_(env) {
    check(napi_create_reference(env, array, strength, &ref_));
  }
  MemoryRef(MemoryRef&& other) noexcept : env_(other.env_), ref_(std::exchange(other.ref_, nullptr)) {}
  MemoryRef& operator=(MemoryRef&& other) noexcept {
    std::swap(env_, other.env_);
    std::swap(ref_, other.ref_);
    return *this;
  }
  ~MemoryRef() {
    if (ref_)
      napi_delete_reference(env_, ref_);
  }
  napi_value array() const {
    napi_value array;
    check(napi_get_reference_value(env_, ref_, &array));
    return array;
  }

private:
  napi_env env_ = nullptr;
  napi_ref ref_ = nullptr;
};

} // namespace native_rnn
