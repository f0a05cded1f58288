// libFuzzer on programs of operators without Node: the bytes choose instructions, what is changed in their numbers, and
// the values that they run on, on every table that this CPU runs. What is not refused must stay within its memory.
#include "choices.h"
#include "random_programs.h"

using namespace programs;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Source source = sourceOfAny();
  static const std::vector<const Kernels*> tables = tablesHere();
  Choices choices(data, size);
  const Numbers numbers = anyNumbers(source, choices);
  for (const Kernels* kernels : tables) {
    Choices values = choices;
    attempt(source, numbers, *kernels, values);
  }
  return 0;
}
