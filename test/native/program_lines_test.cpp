// Instructions that go along one axis: oneHot, cumSum and topK against naive loops, and what must be refused.
#include "programs.h"
#include "unit.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

using namespace programs;

namespace {

template <class Value>
constexpr Element elementOf() {
  return std::is_same_v<Value, float>     ? Element::float32
         : std::is_same_v<Value, int32_t> ? Element::int32
         : std::is_same_v<Value, int64_t> ? Element::int64
         : std::is_same_v<Value, int8_t>  ? Element::int8
                                          : Element::uint8;
}

// Indices (2, 3) along each of the three places of the new axis.
template <class Index, class Value>
void oneHot(const Kernels& kernels, size_t axis) {
  const size_t depth = 4;
  std::vector<size_t> sizes = {2, 3};
  sizes.insert(sizes.begin() + ptrdiff_t(axis), depth);
  Source source;
  source.ioBytes = 64 + 16 + 24 * sizeof(Value);
  source.instructions = {instruction(
      Opcode::oneHot, double(axis), double(depth), Operand{elementOf<Index>(), Region::io, 0, {2, 3}},
      Operand{elementOf<Value>(), Region::io, 64, {2}}, Operand{elementOf<Value>(), Region::io, 80, sizes})};
  Built built(source, kernels);
  const Index indices[] = {0, 3, -1, -4, 4, std::numeric_limits<Index>::min()};
  const int places[] = {0, 3, 3, 0, -1, -1};
  std::copy(std::begin(indices), std::end(indices), built.io.at<Index>());
  built.io.at<Value>(64)[0] = 7, built.io.at<Value>(64)[1] = 9;
  CHECK(built.run() == Program::done);
  for (size_t i = 0; i < 6; i++)
    for (size_t k = 0; k < depth; k++) {
      const size_t row = i / 3, column = i % 3;
      const size_t at = axis == 0   ? (k * 2 + row) * 3 + column
                        : axis == 1 ? (row * depth + k) * 3 + column
                                    : (row * 3 + column) * depth + k;
      CHECK(built.io.at<Value>(80)[at] == Value(int(k) == places[i] ? 9 : 7));
    }
}

// x (3, 5) down or across, in its own place or beside it.
template <class Value>
void cumSum(const Kernels& kernels) {
  for (size_t axis = 0; axis < 2; axis++)
    for (const bool isExclusive : {false, true})
      for (const bool isReverse : {false, true})
        for (const bool isInPlace : {false, true}) {
          Source source;
          source.ioBytes = 30 * sizeof(Value);
          const size_t to = isInPlace ? 0 : 15 * sizeof(Value);
          source.instructions = {instruction(Opcode::cumSum, double(axis), isExclusive, isReverse,
                                             Operand{elementOf<Value>(), Region::io, 0, {3, 5}},
                                             Operand{elementOf<Value>(), Region::io, to, {3, 5}})};
          Built built(source, kernels);
          std::vector<Value> x(15);
          for (size_t i = 0; i < x.size(); i++)
            built.io.at<Value>()[i] = x[i] = Value(int(i * 37 % 91) - 40);
          CHECK(built.run() == Program::done);
          for (size_t row = 0; row < 3; row++)
            for (size_t column = 0; column < 5; column++) {
              Value sum = 0;
              for (size_t k = 0; k < (axis ? 5u : 3u); k++) {
                const size_t own = axis ? column : row;
                if (isReverse ? k > own : k < own || (!isExclusive && k == own))
                  sum = Value(sum + x[axis ? row * 5 + k : k * 5 + column]);
                else if (isReverse && !isExclusive && k == own)
                  sum = Value(sum + x[axis ? row * 5 + k : k * 5 + column]);
              }
              CHECK(built.io.at<Value>(to)[row * 5 + column] == sum);
            }
        }
}

// The largest int64 wraps around, and many floats keep the digits of double precision.
void sumsAtTheirLimits(const Kernels& kernels) {
  Source source;
  source.ioBytes = 4096 * 4;
  const Operand two{Element::int64, Region::io, 0, {2}}, many{Element::float32, Region::io, 0, {4096}};
  source.instructions = {instruction(Opcode::cumSum, 0, 0, 0, two, two)};
  Built integers(source, kernels);
  integers.io.at<int64_t>()[0] = INT64_MAX, integers.io.at<int64_t>()[1] = 1;
  CHECK(integers.run() == Program::done);
  CHECK(integers.io.at<int64_t>()[1] == INT64_MIN);
  source.instructions = {instruction(Opcode::cumSum, 0, 0, 0, many, many)};
  Built floats(source, kernels);
  double sum = 0;
  for (size_t i = 0; i < 4096; i++)
    sum += floats.io.at<float>()[i] = 0.1f + float(i % 7) * 1000;
  CHECK(floats.run() == Program::done);
  CHECK(floats.io.at<float>()[4095] == float(sum));
}

template <class Value>
std::vector<Value> linesOf() {
  std::vector<Value> x;
  for (size_t i = 0; i < 27; i++)
    x.push_back(Value(int(i * 7 % 11) - 5)); // equal ones among them
  if constexpr (std::is_same_v<Value, float>)
    x[2] = NAN, x[8] = NAN, x[4] = INFINITY, x[13] = -INFINITY, x[20] = -0.0f, x[21] = 0.0f;
  if constexpr (std::is_same_v<Value, int64_t>)
    x[3] = INT64_MAX, x[4] = INT64_MAX - 1, x[5] = INT64_MIN; // a double could not tell them apart
  return x;
}

// x (3, 9) along its rows, and (9, 3) along its columns.
template <class Value>
void topK(const Kernels& kernels) {
  const std::vector<Value> x = linesOf<Value>();
  for (const size_t axis : {0, 1})
    for (const size_t k : {1, 4, 9})
      for (const bool wantsLargest : {false, true})
        for (int outputs = 1; outputs < 4; outputs++) {
          const std::vector<size_t> own = axis ? std::vector<size_t>{3, 9} : std::vector<size_t>{9, 3};
          std::vector<size_t> sizes = own;
          sizes[axis] = k;
          Source source;
          source.ioBytes = 27 * 8 * 3;
          const Operand values{elementOf<Value>(), Region::io, 27 * 8, sizes},
              places{Element::int64, Region::io, 27 * 16, sizes};
          Writer writer;
          writer.add(double(axis)).add(double(k)).add(wantsLargest).add(1);
          writer.add(Operand{elementOf<Value>(), Region::io, 0, own});
          outputs & 1 ? writer.add(values) : writer.add(-1);
          outputs & 2 ? writer.add(places) : writer.add(-1);
          Numbers numbers{double(Opcode::topK), double(writer.numbers.size())};
          numbers.insert(numbers.end(), writer.numbers.begin(), writer.numbers.end());
          source.instructions = {numbers};
          Built built(source, kernels);
          std::copy(x.begin(), x.end(), built.io.at<Value>());
          CHECK(built.run() == Program::done);
          for (size_t line = 0; line < 3; line++) {
            std::vector<size_t> order(9);
            for (size_t i = 0; i < 9; i++)
              order[i] = i;
            const auto at = [&](size_t i) { return x[axis ? line * 9 + i : i * 3 + line]; };
            std::stable_sort(order.begin(), order.end(), [&](size_t i, size_t j) {
              const Value a = at(i), b = at(j);
              const bool aIsNaN = a != a, bIsNaN = b != b;
              if (aIsNaN || bIsNaN)
                return wantsLargest ? aIsNaN && !bIsNaN : bIsNaN && !aIsNaN;
              return wantsLargest ? a > b : a < b;
            });
            for (size_t i = 0; i < k; i++) {
              const size_t to = axis ? line * k + i : i * 3 + line;
              const Value wanted = at(order[i]), got = built.io.at<Value>(27 * 8)[to];
              CHECK(!(outputs & 1) || got == wanted || (got != got && wanted != wanted));
              CHECK(!(outputs & 2) || built.io.at<int64_t>(27 * 16)[to] == int64_t(order[i]));
            }
          }
        }
}

void refuses(const Kernels& kernels) {
  Source source;
  source.ioBytes = 256;
  const auto accepts = [&](Numbers numbers) {
    source.instructions = {std::move(numbers)};
    try {
      Built(source, kernels);
      return true;
    } catch (const std::invalid_argument&) {
      return false;
    }
  };
  const auto of = [](std::vector<size_t> sizes, Element element = Element::float32, size_t offset = 0) {
    return Operand{element, Region::io, offset, std::move(sizes)};
  };
  const Operand x = of({2, 4}), indices = of({2}, Element::int64), pair = of({2}, Element::float32, 64);
  const auto oneHot = [&](double axis, double depth, const Operand& i, const Operand& values, const Operand& y) {
    return accepts(instruction(Opcode::oneHot, axis, depth, i, values, y));
  };
  CHECK(oneHot(1, 4, indices, pair, x));
  CHECK(oneHot(0, 4, indices, pair, of({4, 2})));
  CHECK(!oneHot(2, 4, indices, pair, x));
  CHECK(!oneHot(0, 4, indices, pair, x));
  CHECK(!oneHot(1, 5, indices, pair, x));
  CHECK(!oneHot(1, NAN, indices, pair, x));
  CHECK(!oneHot(NAN, 4, indices, pair, x));
  CHECK(!oneHot(1, 4, of({2}), pair, x));
  CHECK(!oneHot(1, 4, of({3}, Element::int64), pair, x));
  CHECK(!oneHot(1, 4, indices, of({3}), x));
  CHECK(!oneHot(1, 4, indices, of({}), x));
  CHECK(!oneHot(1, 4, indices, of({2}, Element::int32), x));
  CHECK(!oneHot(1, 4, indices, pair, of({2, 4}, Element::float32, 228)));
  const auto cumSum = [&](double axis, double exclusive, double reverse, const Operand& from, const Operand& to) {
    return accepts(instruction(Opcode::cumSum, axis, exclusive, reverse, from, to));
  };
  CHECK(cumSum(1, 0, 1, x, x));
  CHECK(!cumSum(2, 0, 0, x, x));
  CHECK(!cumSum(-1, 0, 0, x, x));
  CHECK(!cumSum(0, 2, 0, x, x));
  CHECK(!cumSum(0, 0, NAN, x, x));
  CHECK(!cumSum(0, 0, 0, x, of({4, 2})));
  CHECK(!cumSum(0, 0, 0, x, of({2, 4}, Element::int32)));
  CHECK(!cumSum(0, 0, 0, of({4}, Element::boolean), of({4}, Element::boolean)));
  CHECK(!cumSum(0, 0, 0, of({}), of({})));
  const auto topK = [&](double axis, double k, const Operand& from, const Operand& values, const Operand& places) {
    return accepts(instruction(Opcode::topK, axis, k, 1, 1, from, values, places));
  };
  const Operand three = of({2, 3}, Element::float32, 64), where = of({2, 3}, Element::int64, 128);
  CHECK(topK(1, 3, x, three, where));
  CHECK(!topK(1, 4, x, three, where));
  CHECK(!topK(1, 0, x, three, where));
  CHECK(!topK(1, 5, x, of({2, 5}), of({2, 5}, Element::int64)));
  CHECK(!topK(0, 3, x, three, where));
  CHECK(!topK(8, 3, x, three, where));
  CHECK(!topK(1, 3, x, three, three));
  CHECK(!topK(1, 3, x, of({2, 3}, Element::int32), where));
  CHECK(!topK(1, 3, x, of({3}), where));
  CHECK(!topK(1, 3, x, three, of({1, 3}, Element::int64)));
  CHECK(!topK(1, NAN, x, three, where));
  CHECK(!accepts(instruction(Opcode::topK, 1, 3, 2, 1, x, three, where)));
}

} // namespace

int main() {
  for (const Kernels* kernels : tablesHere()) {
    for (size_t axis = 0; axis < 3; axis++) {
      oneHot<int64_t, float>(*kernels, axis);
      oneHot<int32_t, int64_t>(*kernels, axis);
      oneHot<int64_t, uint8_t>(*kernels, axis);
    }
    cumSum<float>(*kernels), cumSum<int32_t>(*kernels), cumSum<int64_t>(*kernels), cumSum<int8_t>(*kernels);
    sumsAtTheirLimits(*kernels);
    topK<float>(*kernels), topK<int32_t>(*kernels), topK<int64_t>(*kernels), topK<uint8_t>(*kernels);
    refuses(*kernels);
  }
  return unit::end();
}
