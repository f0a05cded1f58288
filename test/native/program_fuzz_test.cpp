// Numbers that nobody meant: what is not refused runs, on memory of exactly the length that was promised; a sanitizer
// sees what reaches beyond. `npm run fuzz` has the same with libFuzzer.
#include "random_programs.h"
#include "unit.h"
#include <cstdio>

using namespace programs;

int main(int argc, char** argv) {
  const size_t turns = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 20000;
  Source source = sourceOfAny();
  for (const Kernels* kernels : tablesHere()) {
    Random random(unsigned(argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 3));
    size_t ran = 0, byOpcode[opcodes] = {};
    for (size_t turn = 0; turn < turns; turn++) {
      const Numbers numbers = anyNumbers(source, random);
      if (!attempt(source, numbers, *kernels, random))
        continue;
      ran++;
      byOpcode[size_t(numbers[3])]++;
    }
    // Neither all nor nothing of it is refused.
    CHECK(ran > turns / 50);
    CHECK(turns - ran > turns / 50);
    for (size_t opcode = 0; opcode < opcodes && turns >= 20000; opcode++)
      CHECK(byOpcode[opcode] > 0);
  }
  return unit::end();
}
