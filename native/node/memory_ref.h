// The life of memory that JavaScript owns and native code points into: held by native objects, through references that
// no script can see, shadow or remove.
#pragma once
#include "exceptions.h"
#include <utility>

namespace native_rnn {

// Keeps an array, and so the memory under it, alive for as long as this object. The array is of shared memory, or of a
// buffer that nobody outside the package has: neither can be detached.
class MemoryRef {
public:
  MemoryRef() = default;
  MemoryRef(napi_env env, napi_value array) : env_(env) { check(napi_create_reference(env, array, 1, &ref_)); }
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

private:
  napi_env env_ = nullptr;
  napi_ref ref_ = nullptr;
};

} // namespace native_rnn
