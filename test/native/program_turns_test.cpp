// Runs in turns: each ends as Program::run does and leaves the same bytes, however its instructions are cut.
#include "graph/program_turns.h"
#include "graph/row_sums.h"
#include "random_programs.h"
#include "unit.h"
#include <algorithm>

using namespace programs;

namespace {

// Zeros, as fresh memory for a run's scratch.
struct Memory {
  explicit Memory(const Program& program) : bytes(program.floats() * sizeof(float)) {}
  Bytes bytes;
};

struct InTurns {
  size_t ended, turns = 1;
  InTurns(const Built& built, const Bytes& io) {
    const Memory memory(*built.program);
    ProgramTurns run(*built.program, io.at(), memory.bytes.at<float>());
    while (run.advance())
      turns++;
    ended = run.ended();
    CHECK(!run.advance()); // it stays so
    CHECK(run.ended() == ended);
  }
};

size_t runWhole(const Built& built) {
  Scratch scratch;
  std::fill_n(scratch.floats(built.program->floats()), built.program->floats(), 0.0f);
  return built.program->run(built.io.at(), scratch, nullptr);
}

// Both ways from the same bytes; how many turns it took.
size_t compare(const Built& built, size_t expectedEnd) {
  const Bytes io(built.io.size());
  std::memcpy(io.at(), built.io.at(), io.size());
  const InTurns run(built, io);
  CHECK(runWhole(built) == expectedEnd);
  CHECK(run.ended == expectedEnd);
  CHECK(std::memcmp(io.at(), built.io.at(), io.size()) == 0);
  return run.turns;
}

void empty(const Kernels& kernels) {
  Built built(Source{}, kernels);
  CHECK(compare(built, Program::done) == 1);
}

// A turn for each instruction that runs; the last one ends the run.
void branches(const Kernels& kernels) {
  const auto fill = [](size_t place, double value) {
    return instruction(Opcode::fill, value, Operand{Element::int32, Region::io, 4 + 4 * place, {1}});
  };
  for (const bool condition : {false, true}) {
    Source source;
    source.ioBytes = 20;
    source.instructions = {instruction(Opcode::branch, Operand{Element::boolean, Region::io, 0, {}}, 1, 2), fill(0, 5),
                           fill(1, 6), fill(2, 7), fill(3, 8)};
    Built built(source, kernels);
    built.io.at()[0] = condition;
    CHECK(compare(built, Program::done) == (condition ? 3 : 4));
    const int32_t* const values = built.io.at<int32_t>(4);
    CHECK(values[0] == (condition ? 5 : 0) && values[2] == (condition ? 0 : 7) && values[3] == 8);
  }
}

// The instruction that fails ends the run with its number, and none after it runs.
void fails(const Kernels& kernels) {
  Source source;
  source.ioBytes = 64;
  const auto fill = [](size_t place) {
    return instruction(Opcode::fill, 9, Operand{Element::int32, Region::io, 48 + 4 * place, {1}});
  };
  source.instructions = {fill(0),
                         instruction(Opcode::gather, 0, Operand{Element::float32, Region::io, 0, {4}},
                                     Operand{Element::int32, Region::io, 16, {2}},
                                     Operand{Element::float32, Region::io, 32, {2}}),
                         fill(1)};
  for (const int32_t place : {3, 4}) {
    Built built(source, kernels);
    built.io.at<int32_t>(16)[1] = place;
    const size_t turns = compare(built, place == 4 ? 2 : Program::done);
    CHECK(turns == (place == 4 ? 2 : 3));
    CHECK(built.io.at<int32_t>(48)[1] == (place == 4 ? 0 : 9));
  }
}

// A row too long for a turn comes in several: its sums, its softmax beside it and in its place, its
// largest value, its running sums.
void longRows(const Kernels& kernels) {
  const size_t count = 2 * rowPart + 5;
  const Operand x{Element::float32, Region::io, 0, {count}}, y{Element::float32, Region::io, count * 4, {count}},
      one{Element::float32, Region::io, count * 4, {1}};
  std::vector<Numbers> instructions;
  for (size_t kind = 0; kind <= size_t(Reduction::logSumExp); kind++)
    instructions.push_back(instruction(Opcode::reduce, double(kind), x, one));
  for (const int isLog : {0, 1})
    for (const Operand& to : {x, y})
      instructions.push_back(instruction(Opcode::softmax, isLog, 0, x, to));
  const Operand place{Element::int64, Region::io, roundUp(count * 4, 8), {1}};
  for (const int wantsLeast : {0, 1})
    for (const int selectsLast : {0, 1})
      instructions.push_back(instruction(Opcode::argReduce, wantsLeast, selectsLast, 0, x, place));
  for (const int isReverse : {0, 1})
    instructions.push_back(instruction(Opcode::cumSum, 0, 0, isReverse, x, isReverse ? x : y));
  for (size_t i = 0; i < instructions.size(); i++)
    for (const bool hasNaN : {false, true}) {
      Source source;
      source.ioBytes = 2 * roundUp(count * 4, 8);
      source.instructions = {instructions[i]};
      Built built(source, kernels);
      Random random{unsigned(i)};
      for (size_t k = 0; k < count; k++)
        built.io.at<float>()[k] = float(random.below(1u << 24)) / float(1u << 23) - 1;
      if (hasNaN)
        built.io.at<float>()[rowPart + 3] = NAN;
      CHECK(compare(built, Program::done) >= 3);
    }
}

// Integers of a long row, whose sums wrap.
void longIntegers(const Kernels& kernels) {
  const size_t count = 2 * rowPart + 5;
  for (const Element element : {Element::int32, Element::int64})
    for (size_t kind = 0; kind < size_t(Reduction::logSumExp); kind++) {
      if (Reduction(kind) == Reduction::l2)
        continue;
      Source source;
      source.ioBytes = 8 * count + 8;
      source.instructions = {instruction(Opcode::reduce, double(kind), Operand{element, Region::io, 0, {count}},
                                         Operand{element, Region::io, 8 * count, {1}})};
      Built built(source, kernels);
      Random random{unsigned(kind)};
      for (size_t k = 0; k < 2 * count; k++)
        built.io.at<int32_t>()[k] = int32_t(random.below(1u << 24)) - (1 << 23);
      CHECK(compare(built, Program::done) == 3);
    }
}

// A long line is sorted in parts, which are merged: the largest and the smallest, few and all, equal ones and NaN.
void longOrders(const Kernels& kernels) {
  const size_t count = 5 * (size_t{1} << 14) + 3;
  for (const Element element : {Element::float32, Element::int64})
    for (const int wantsLargest : {0, 1})
      for (const size_t k : {size_t(1), size_t(7), size_t(40'000), count}) {
        Source source;
        source.ioBytes = 3 * 8 * count;
        source.instructions = {instruction(
            Opcode::topK, 0, double(k), wantsLargest, 1, Operand{element, Region::io, 0, {count}},
            Operand{element, Region::io, 8 * count, {k}}, Operand{Element::int64, Region::io, 2 * 8 * count, {k}})};
        Built built(source, kernels);
        Random random{unsigned(k)};
        for (size_t i = 0; i < count; i++) {
          const unsigned value = random.below(1000);
          if (element == Element::float32)
            built.io.at<float>()[i] = value == 0 ? NAN : float(value);
          else
            built.io.at<int64_t>()[i] = int64_t(value) - 500;
        }
        CHECK(compare(built, Program::done) > 8);
      }
}

// Long sums of products, a part of all of them at a time; b and y as they lie, or brought together.
void longSums(const Kernels& kernels) {
  const size_t M = 3, N = 5, K = 2 * rowPart + 5;
  for (const bool bIsTurned : {false, true})
    for (const bool yIsTurned : {false, true}) {
      Source source;
      const size_t b = 4 * M * K, y = b + 4 * K * N;
      source.ioBytes = roundUp(y + 4 * M * N, 8);
      Operand right{Element::float32, Region::io, b, {K, N}}, made{Element::float32, Region::io, y, {M, N}};
      if (bIsTurned)
        right.strides = {1, ptrdiff_t(K)};
      if (yIsTurned)
        made.strides = {1, ptrdiff_t(M)};
      source.instructions = {
          instruction(Opcode::matmul, 0.75, Operand{Element::float32, Region::io, 0, {M, K}}, right, made)};
      Built built(source, kernels);
      Random random{7};
      for (size_t i = 0; i < (M + N) * K; i++)
        built.io.at<float>()[i] = float(random.below(1u << 24)) / float(1u << 23) - 1;
      CHECK(compare(built, Program::done) == 3);
    }
}

// An LSTM's steps, whose lengths are read when it runs.
void networks(const Kernels& kernels) {
  const size_t T = 700, B = 3, H = 64;
  for (const int32_t length : {int32_t(T), int32_t(T) + 1, 650}) {
    Source source;
    source.weights = {wholeNumbers(H * 2048 + 2048, 1)};
    source.sizes = {{H, 2048}};
    const size_t xBytes = T * B * H * 4;
    source.ioBytes = 2 * xBytes + 16;
    source.instructions = {instruction(Opcode::network, 0, 9, 2, 0, double(H), double(H), 0, 1, 1, 0, 0,
                                       Operand{Element::float32, Region::io, 0, {T, B, H}},
                                       Operand{Element::int32, Region::io, 2 * xBytes, {B}}, -1, -1,
                                       Operand{Element::float32, Region::io, xBytes, {T, B, H}}, -1, -1)};
    Built built(source, kernels);
    for (size_t i = 0; i < T * B * H; i++)
      built.io.at<float>()[i] = float(i % 13) / 13 - 0.5f;
    for (size_t b = 0; b < B; b++)
      built.io.at<int32_t>(2 * xBytes)[b] = b == 1 ? length : int32_t(T);
    const bool fits = length <= int32_t(T);
    const size_t turns = compare(built, fits ? Program::done : 1);
    CHECK(fits ? turns > 3 : turns == 1);
  }
}

void anything(const Kernels& kernels) {
  Source source = sourceOfAny();
  Random random(11);
  size_t ran = 0;
  for (size_t i = 0; i < 4000; i++) {
    const Numbers numbers = anyNumbers(source, random);
    try {
      Built built(source, numbers, kernels);
      if (!isShort(numbers))
        continue;
      for (size_t k = 0; k < built.io.size(); k++)
        built.io.at()[k] = char(random.below(3));
      const Bytes before(built.io.size());
      std::memcpy(before.at(), built.io.at(), before.size());
      const size_t ended = runWhole(built);
      std::memcpy(built.io.at(), before.at(), before.size());
      compare(built, ended);
      ran++;
    } catch (const std::exception&) { // refused
    }
  }
  CHECK(ran > 100);
}

} // namespace

int main() {
  for (const Kernels* kernels : tablesHere()) {
    empty(*kernels);
    branches(*kernels);
    fails(*kernels);
    longRows(*kernels);
    longIntegers(*kernels);
    longOrders(*kernels);
    longSums(*kernels);
    networks(*kernels);
    anything(*kernels);
  }
  return unit::end();
}
