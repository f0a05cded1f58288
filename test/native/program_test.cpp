// Programs of instructions: each against a naive loop over plain arrays, and what must be refused.
#include "programs.h"
#include "unit.h"
#include <cmath>

using namespace programs;

namespace {

bool isRefused(const Source& source, const Kernels& kernels) {
  try {
    Built(source, kernels);
    return false;
  } catch (const std::invalid_argument&) {
    return true;
  }
}

// x (3, 4) transposed into y (4, 3), and y reversed by a negative stride.
void copies(const Kernels& kernels) {
  Source source;
  source.ioBytes = 12 * 4 * 2;
  source.instructions = {
      instruction(Opcode::copy, Operand{Element::int32, Region::io, 0, {4, 3}, {1, 4}},
                  Operand{Element::int32, Region::io, 48, {4, 3}}),
      instruction(Opcode::copy, Operand{Element::int32, Region::io, 92, {12}, {-1}},
                  Operand{Element::int32, Region::io, 0, {12}}),
  };
  Built built(source, kernels);
  for (int32_t i = 0; i < 12; i++)
    built.io.at<int32_t>()[i] = i;
  CHECK(built.run() == Program::done);
  for (int32_t i = 0; i < 12; i++) {
    CHECK(built.io.at<int32_t>(48)[i] == i % 3 * 4 + i / 3);
    CHECK(built.io.at<int32_t>()[i] == built.io.at<int32_t>(48)[11 - i]);
  }
}

void multiplies(const Kernels& kernels, size_t rows, size_t K, size_t N, ptrdiff_t stride, bool isPadded) {
  Source source;
  source.weights = {wholeNumbers(N * K + N, 1)};
  source.sizes = {{K, N}};
  const size_t yRow = isPadded ? roundUp(N, 16) : N, xFloats = size_t(stride) * (rows - 1) + K;
  source.ioBytes = (xFloats + rows * N) * 4;
  source.scratchBytes = rows * yRow * 4;
  const Operand x{Element::float32, Region::io, 0, {rows, K}, {stride, 1}};
  const Operand y{Element::float32, Region::scratch, 0, {rows, N}, {ptrdiff_t(yRow), 1}};
  source.instructions = {
      instruction(Opcode::gemm, 0, 0, 0, double(K), double(N), -1, 0, 0, double(isPadded), x, y),
      instruction(Opcode::copy, y, Operand{Element::float32, Region::io, xFloats * 4, {rows, N}}),
  };
  Built built(source, kernels);
  const std::vector<float> values = wholeNumbers(xFloats, 2);
  std::copy(values.begin(), values.end(), built.io.at<float>());
  CHECK(built.run() == Program::done);
  for (size_t r = 0; r < rows; r++)
    for (size_t n = 0; n < N; n++) {
      float sum = source.weights[0][N * K + n];
      for (size_t k = 0; k < K; k++)
        sum += source.weights[0][n * K + k] * values[r * size_t(stride) + k];
      CHECK(built.io.at<float>(xFloats * 4)[r * N + n] == sum);
    }
}

// Of every 3 × 2 program of two instructions that differ by the condition one runs.
void branches(const Kernels& kernels) {
  const Operand target{Element::int32, Region::io, 4, {1}};
  const auto fill = [&](double value) { return instruction(Opcode::fill, value, target); };
  Source source;
  source.ioBytes = 8;
  source.instructions = {instruction(Opcode::branch, Operand{Element::boolean, Region::io, 0, {}}, 1, 3), fill(1),
                         instruction(Opcode::branch, Operand{Element::boolean, Region::io, 1, {}}, 0, 1), fill(2),
                         fill(3)};
  Built built(source, kernels);
  const auto ran = [&](bool first, bool second) {
    built.io.at<int32_t>()[0] = built.io.at<int32_t>()[1] = 0;
    built.io.at()[0] = first, built.io.at()[1] = second;
    CHECK(built.run() == Program::done);
    return built.io.at<int32_t>()[1];
  };
  CHECK(ran(true, false) == 1);
  CHECK(ran(false, false) == 3);
  source.instructions[4] = instruction(Opcode::fill, 3, Operand{Element::int32, Region::io, 0, {1}});
  Built other(source, kernels);
  other.io.at()[1] = 1;
  CHECK(other.run() == Program::done);
  CHECK(other.io.at<int32_t>()[1] == 0 && other.io.at<int32_t>()[0] == 3);
  source.instructions[2] = instruction(Opcode::branch, Operand{Element::boolean, Region::io, 1, {}}, 1, 2);
  CHECK(isRefused(source, kernels)); // it reaches out of its own branch
}

void refuses(const Kernels& kernels) {
  Source source;
  source.ioBytes = 64;
  source.constants.resize(64);
  const Operand ok{Element::float32, Region::io, 0, {16}};
  const auto bad = [&](const Operand& x, const Operand& y) {
    source.instructions = {instruction(Opcode::copy, x, y)};
    return isRefused(source, kernels);
  };
  const auto of = [](std::vector<size_t> sizes, std::vector<ptrdiff_t> strides, size_t offset = 0,
                     Region region = Region::io, Element element = Element::float32) {
    return Operand{element, region, offset, std::move(sizes), std::move(strides)};
  };
  CHECK(!bad(ok, ok));
  CHECK(!bad(of({16}, {1}, 0, Region::constants), ok));
  CHECK(bad(ok, of({16}, {1}, 0, Region::constants)));
  CHECK(bad(ok, of({16}, {1}, 0, Region::scratch)));
  CHECK(bad(of({17}, {1}), of({17}, {0})));
  CHECK(bad(of({16}, {1}, 4), ok));
  CHECK(bad(of({16}, {1}, 2), ok));
  CHECK(bad(of({16}, {-1}), ok));
  CHECK(!bad(of({16}, {-1}, 60), ok));
  CHECK(bad(of({2, 8}, {16, 1}), of({2, 8}, {8, 1})));
  CHECK(bad(of({16}, {1}), of({4, 4}, {4, 1})));
  CHECK(bad(of({size_t(1) << 40, size_t(1) << 40}, {0, 0}), of({size_t(1) << 40, size_t(1) << 40}, {0, 0})));
  CHECK(bad(of({2}, {ptrdiff_t(1) << 44}), of({2}, {1})));
  CHECK(bad(of({16}, {1}, 0, Region::io, Element::int32), ok));
  source.instructions = {instruction(Opcode::copy, ok, ok, 0)};
  CHECK(isRefused(source, kernels));
  source.instructions = {{0, 100}};
  CHECK(isRefused(source, kernels));
  source.instructions = {{99, 0}};
  CHECK(isRefused(source, kernels));
  source.instructions = {{NAN, 0}};
  CHECK(isRefused(source, kernels));
}

} // namespace

int main() {
  for (const Kernels* kernels : tablesHere()) {
    copies(*kernels);
    branches(*kernels);
    refuses(*kernels);
    for (size_t rows : {1, 2, 7, 33, 70})
      for (size_t N : {1, 5, 8, 12, 16, 33})
        for (bool isPadded : {false, true})
          multiplies(*kernels, rows, 6, N, 6, isPadded), multiplies(*kernels, rows, 6, N, 2, isPadded);
  }
  return unit::end();
}
