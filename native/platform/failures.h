// How the engine gives up: exceptions, or where the language has none (WebAssembly) a trap, after a note of what went
// wrong that the host reads. A trap unwinds nothing: whoever calls sees to it that no half-made state is used.
#pragma once
#if !defined(__wasm__)
#include <new>
#include <stdexcept>
#include <string>
#endif

namespace native_rnn {

#if defined(__wasm__)
enum class Failure : int { none, outOfMemory, tooLarge, invalid };
// Defined by the front, whose host reads it.
extern Failure lastFailure;
extern const char* lastFailureText;

[[noreturn]] inline void trap(Failure failure, const char* text) {
  lastFailure = failure;
  lastFailureText = text;
  __builtin_trap();
}
[[noreturn]] inline void failOutOfMemory() { trap(Failure::outOfMemory, ""); }
[[noreturn]] inline void failTooLarge() { trap(Failure::tooLarge, ""); }
[[noreturn]] inline void failInvalid(const char* what) { trap(Failure::invalid, what); }
#else
[[noreturn]] inline void failOutOfMemory() { throw std::bad_alloc(); }
[[noreturn]] inline void failTooLarge() { throw std::length_error("native-rnn: the call is too large"); }
[[noreturn]] inline void failInvalid(const char* what) {
  throw std::invalid_argument(std::string("native-rnn: ") + what);
}
#endif

} // namespace native_rnn
