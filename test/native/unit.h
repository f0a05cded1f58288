// The smallest frame for a C++ unit: a condition that does not hold is printed, and main() returns whether there was
// one.
#pragma once
#include <cstdio>

namespace unit {
inline int failures = 0;
inline int end() {
  std::printf(failures ? "%d failed\n" : "ok\n", failures);
  return failures != 0;
}
} // namespace unit

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      unit::failures++;                                                                                                \
      std::printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);                                                      \
    }                                                                                                                  \
  } while (0)
