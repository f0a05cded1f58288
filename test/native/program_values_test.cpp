// Instructions that make values of values, over operands of any layout: each against a naive loop over indices.
#include "programs.h"
#include "unit.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace programs;

namespace {

using Index = std::vector<size_t>;
// A NaN equals itself, and zeros differ by their sign.
bool same(float a, float b) { return std::memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b); }

struct Case {
  const Kernels& kernels;
  Random& random;
  Source source{};
  Places places{random};
  std::unique_ptr<Built> built = nullptr;
  void build(const Numbers& instruction) {
    source.ioBytes = places.bytes;
    source.instructions = {instruction};
    built = std::make_unique<Built>(source, kernels);
  }
  const Bytes& io() const { return built->io; }
};

void maps(const Kernels& kernels, Random& random) {
  for (size_t f = 0; f < size_t(MapFunction::logicalNot); f++) {
    Case c{kernels, random};
    const Index sizes = random.sizes(1 + random.below(4));
    const Operand x = c.places.take(Element::float32, sizes), y = c.places.take(Element::float32, sizes, false);
    c.build(instruction(Opcode::map, double(f), 0.25, 1.5, x, y));
    fillWhole<float>(c.io(), x, random, -9, 19);
    CHECK(c.built->run() == Program::done);
    forEachIndex(sizes, [&](const Index& i) {
      float expected;
      kernels.ops.map[f](&valueOf<float>(c.io(), x, i), &expected, 1, 0.25f, 1.5f);
      CHECK(same(valueOf<float>(c.io(), y, i), expected));
    });
  }
}

template <class Value>
Value wrapped(MapFunction f, Value x) {
  if (f == MapFunction::sign)
    return Value((x > 0) - (std::is_signed_v<Value> && x < 0));
  const bool isNegative = std::is_signed_v<Value> && x < 0;
  return f == MapFunction::abs && !isNegative ? x : Value(0 - uint64_t(x));
}

template <class Value>
void mapsIntegers(const Kernels& kernels, Random& random, Element element) {
  for (MapFunction f : {MapFunction::abs, MapFunction::neg, MapFunction::sign}) {
    Case c{kernels, random};
    const Index sizes = random.sizes(3);
    const Operand x = c.places.take(element, sizes), y = c.places.take(element, sizes, false);
    c.build(instruction(Opcode::map, double(f), 0, 0, x, y));
    fillWhole<Value>(c.io(), x, random, -3, 7);
    valueOf<Value>(c.io(), x, Index(3, 0)) = std::numeric_limits<Value>::min();
    CHECK(c.built->run() == Program::done);
    forEachIndex(sizes, [&](const Index& i) {
      CHECK(valueOf<Value>(c.io(), y, i) == wrapped(f, valueOf<Value>(c.io(), x, i)));
    });
  }
}

void zips(const Kernels& kernels, Random& random) {
  for (size_t f = 0; f < zipFunctions; f++)
    for (int turn = 0; turn < 4; turn++) {
      const bool compares = f >= size_t(ZipFunction::equal);
      if (!compares && !kernels.ops.zip[f][0])
        continue;
      Case c{kernels, random};
      const Index sizes = random.sizes(1 + random.below(4));
      const Operand a = c.places.take(Element::float32, sizes), b = c.places.take(Element::float32, sizes),
                    y = c.places.take(compares ? Element::boolean : Element::float32, sizes, false);
      c.build(instruction(Opcode::zip, double(f), a, b, y));
      fillWhole<float>(c.io(), a, random, -3, 7);
      fillWhole<float>(c.io(), b, random, -3, 7);
      CHECK(c.built->run() == Program::done);
      forEachIndex(sizes, [&](const Index& i) {
        const float *p = &valueOf<float>(c.io(), a, i), *q = &valueOf<float>(c.io(), b, i);
        uint8_t holds;
        float value;
        if (compares) {
          kernels.ops.compare[f - size_t(ZipFunction::equal)][0](p, q, &holds, 1);
          CHECK(valueOf<uint8_t>(c.io(), y, i) == holds);
        } else {
          kernels.ops.zip[f][0](p, q, &value, 1);
          CHECK(same(valueOf<float>(c.io(), y, i), value));
        }
      });
    }
}

// In 128 bits, then cut: what wraps is the same.
template <class Value>
double expectedOf(ZipFunction f, Value a, Value b) {
  const double x = double(a), y = double(b);
  switch (f) {
  case ZipFunction::add:
    return double(Value(uint64_t(a) + uint64_t(b)));
  case ZipFunction::sub:
    return double(Value(uint64_t(a) - uint64_t(b)));
  case ZipFunction::mul:
    return double(Value(uint64_t(a) * uint64_t(b)));
  case ZipFunction::div:
    return y == 0 ? 0 : double(Value(int64_t(std::trunc(x / y))));
  case ZipFunction::mod:
    return y == 0 ? 0 : x - y * std::floor(x / y);
  case ZipFunction::fmod:
    return y == 0 ? 0 : std::fmod(x, y);
  case ZipFunction::min:
    return std::min(x, y);
  case ZipFunction::max:
    return std::max(x, y);
  case ZipFunction::pow:
    return y < 0 ? std::trunc(x == 0 ? 0 : std::pow(x, y)) : double(Value(int64_t(std::pow(x, y))));
  case ZipFunction::equal:
    return a == b;
  case ZipFunction::less:
    return a < b;
  case ZipFunction::lessOrEqual:
    return a <= b;
  case ZipFunction::greater:
    return a > b;
  default:
    return a >= b;
  }
}

template <class Value>
void zipsIntegers(const Kernels& kernels, Random& random, Element element) {
  for (size_t f = 0; f < zipFunctions; f++) {
    const ZipFunction function = ZipFunction(f);
    const bool compares = function >= ZipFunction::equal;
    if (function == ZipFunction::prelu || (f >= size_t(ZipFunction::logicalAnd) && !compares))
      continue;
    Case c{kernels, random};
    const Index sizes = random.sizes(3);
    const Operand a = c.places.take(element, sizes), b = c.places.take(element, sizes),
                  y = c.places.take(compares ? Element::boolean : element, sizes, false);
    c.build(instruction(Opcode::zip, double(f), a, b, y));
    fillWhole<Value>(c.io(), a, random, std::is_signed_v<Value> ? -4 : 0, 9);
    fillWhole<Value>(c.io(), b, random, std::is_signed_v<Value> ? -4 : 0, 9);
    CHECK(c.built->run() == Program::done);
    forEachIndex(sizes, [&](const Index& i) {
      const double expected = expectedOf(function, valueOf<Value>(c.io(), a, i), valueOf<Value>(c.io(), b, i));
      CHECK((compares ? double(valueOf<uint8_t>(c.io(), y, i)) : double(valueOf<Value>(c.io(), y, i))) == expected);
    });
    // What would trap.
    forEachIndex(sizes, [&](const Index& i) {
      valueOf<Value>(c.io(), a, i) = std::numeric_limits<Value>::min();
      valueOf<Value>(c.io(), b, i) = Value(-1);
    });
    CHECK(c.built->run() == Program::done);
    if (std::is_signed_v<Value> && function == ZipFunction::div)
      CHECK(valueOf<Value>(c.io(), y, Index(3, 0)) == std::numeric_limits<Value>::min());
  }
}

void logical(const Kernels& kernels, Random& random) {
  for (ZipFunction f : {ZipFunction::logicalAnd, ZipFunction::logicalOr, ZipFunction::logicalXor, ZipFunction::equal}) {
    Case c{kernels, random};
    const Index sizes = random.sizes(2);
    const Operand a = c.places.take(Element::boolean, sizes), b = c.places.take(Element::boolean, sizes),
                  y = c.places.take(Element::boolean, sizes, false);
    c.build(instruction(Opcode::zip, double(f), a, b, y));
    fillWhole<uint8_t>(c.io(), a, random, 0, 3); // 2 is true too
    fillWhole<uint8_t>(c.io(), b, random, 0, 3);
    CHECK(c.built->run() == Program::done);
    forEachIndex(sizes, [&](const Index& i) {
      const bool p = valueOf<uint8_t>(c.io(), a, i), q = valueOf<uint8_t>(c.io(), b, i);
      const bool expected = f == ZipFunction::logicalAnd   ? p && q
                            : f == ZipFunction::logicalOr  ? p || q
                            : f == ZipFunction::logicalXor ? p != q
                                                           : p == q;
      CHECK(valueOf<uint8_t>(c.io(), y, i) == expected);
    });
  }
}

template <class From, class To>
void casts(const Kernels& kernels, Random& random, Element from, Element to) {
  Case c{kernels, random};
  const Index sizes = random.sizes(3);
  const Operand x = c.places.take(from, sizes), y = c.places.take(to, sizes, false);
  c.build(instruction(Opcode::cast, x, y));
  fillWhole<From>(c.io(), x, random, std::is_signed_v<From> ? -100 : 0, 100);
  CHECK(c.built->run() == Program::done);
  forEachIndex(sizes, [&](const Index& i) {
    const From value = valueOf<From>(c.io(), x, i);
    To expected = To(value);
    if (std::is_same_v<From, float> && !std::is_signed_v<To> && value < From(0))
      expected = 0;
    if (to == Element::boolean)
      expected = To(value != From(0));
    else if (from == Element::boolean)
      expected = To(value != From(0));
    CHECK(valueOf<To>(c.io(), y, i) == expected);
  });
}

template <class To>
To castOf(const Kernels& kernels, float x, Element to) {
  Source source;
  source.ioBytes = 16;
  source.instructions = {
      instruction(Opcode::cast, Operand{Element::float32, Region::io, 0, {}}, Operand{to, Region::io, 8, {}})};
  Built built(source, kernels);
  *built.io.at<float>() = x;
  CHECK(built.run() == Program::done);
  return *built.io.at<To>(8);
}

void castsBeyond(const Kernels& kernels) {
  CHECK(castOf<int32_t>(kernels, 3e9f, Element::int32) == INT32_MAX);
  CHECK(castOf<int32_t>(kernels, -3e9f, Element::int32) == INT32_MIN);
  CHECK(castOf<int32_t>(kernels, NAN, Element::int32) == 0);
  CHECK(castOf<int32_t>(kernels, -1.9f, Element::int32) == -1);
  CHECK(castOf<int64_t>(kernels, 1e30f, Element::int64) == INT64_MAX);
  CHECK(castOf<int64_t>(kernels, -INFINITY, Element::int64) == INT64_MIN);
  CHECK(castOf<uint8_t>(kernels, 300, Element::uint8) == 255);
  CHECK(castOf<uint8_t>(kernels, -1, Element::uint8) == 0);
  CHECK(castOf<int8_t>(kernels, -300, Element::int8) == -128);
  CHECK(castOf<uint8_t>(kernels, NAN, Element::boolean) == 1);
  const auto half = [&](float x) { return castOf<float>(kernels, x, Element::float16); };
  CHECK(half(1.0f + 1.0f / 2048) == 1.0f && half(1.0f + 3.0f / 2048) == 1.0f + 2.0f / 1024);
  CHECK(half(65519.0f) == 65504.0f && half(65520.0f) == INFINITY && half(-1e9f) == -INFINITY);
  CHECK(half(std::ldexp(1.0f, -25)) == 0 && half(std::ldexp(3.0f, -25)) == std::ldexp(1.0f, -23));
  CHECK(std::signbit(half(-1e-30f)) && std::isnan(half(NAN)));
}

void chooses(const Kernels& kernels, Random& random) {
  for (Element element : {Element::float32, Element::int64, Element::uint8}) {
    Case c{kernels, random};
    const Index sizes = random.sizes(3);
    const Operand condition = c.places.take(Element::boolean, sizes), a = c.places.take(element, sizes),
                  b = c.places.take(element, sizes), y = c.places.take(element, sizes, false);
    c.build(instruction(Opcode::where, condition, a, b, y));
    for (size_t i = 0; i < c.io().size(); i++)
      c.io().at()[i] = char(random.below(3));
    CHECK(c.built->run() == Program::done);
    forEachIndex(sizes, [&](const Index& i) {
      const auto bytes = [&](const Operand& o) {
        uint64_t value = 0;
        if (element == Element::uint8)
          value = valueOf<uint8_t>(c.io(), o, i);
        else if (element == Element::float32)
          value = valueOf<uint32_t>(c.io(), o, i);
        else
          value = valueOf<uint64_t>(c.io(), o, i);
        return value;
      };
      CHECK(bytes(y) == bytes(valueOf<uint8_t>(c.io(), condition, i) ? a : b));
    });
  }
}

// The values of one result, in the order of the indices.
template <class Value>
std::vector<Value> line(const Bytes& io, const Operand& x, const Index& kept, const Index& goneSizes) {
  std::vector<Value> values;
  forEachIndex(goneSizes, [&](const Index& gone) {
    Index at = kept;
    for (size_t i = 0; i < at.size(); i++)
      at[i] += gone[i];
    values.push_back(valueOf<Value>(io, x, at));
  });
  return values;
}

template <class Value>
Value reducedIntegers(Reduction kind, const std::vector<Value>& values) {
  int64_t total = kind == Reduction::prod;
  for (Value value : values) {
    const int64_t x = int64_t(value);
    total = kind == Reduction::prod        ? total * x
            : kind == Reduction::sumSquare ? total + x * x
            : kind == Reduction::l1        ? total + std::abs(x)
                                           : total + x;
  }
  if (kind == Reduction::max || kind == Reduction::min)
    return kind == Reduction::max ? *std::max_element(values.begin(), values.end())
                                  : *std::min_element(values.begin(), values.end());
  return Value(kind == Reduction::mean ? total / int64_t(values.size()) : total);
}

template <class Value>
void reduces(const Kernels& kernels, Random& random, Element element) {
  for (size_t kind = 0; kind < reductions; kind++)
    for (int turn = 0; turn < 12; turn++) {
      const bool isFloat = element == Element::float32;
      if (!isFloat && (Reduction(kind) == Reduction::l2 || Reduction(kind) == Reduction::logSumExp))
        continue;
      Case c{kernels, random};
      const Index sizes = random.sizes(1 + random.below(4));
      Index kept = sizes, gone = sizes;
      for (size_t i = 0; i < sizes.size(); i++)
        (random.below(2) ? kept : gone)[i] = 1;
      const Operand x = c.places.take(element, sizes), y = c.places.take(element, kept, false);
      c.build(instruction(Opcode::reduce, double(kind), x, y));
      fillWhole<Value>(c.io(), x, random, std::is_signed_v<Value> ? -2 : 0, 5);
      if (isFloat)
        forEachIndex(sizes, [&](const Index& i) { valueOf<Value>(c.io(), x, i) *= Value(1.1f); });
      CHECK(c.built->run() == Program::done);
      forEachIndex(kept, [&](const Index& i) {
        const std::vector<Value> values = line<Value>(c.io(), x, i, gone);
        if constexpr (std::is_same_v<Value, float>)
          CHECK(same(valueOf<float>(c.io(), y, i), kernels.ops.reduce[kind](values.data(), values.size())));
        else
          CHECK(valueOf<Value>(c.io(), y, i) == reducedIntegers(Reduction(kind), values));
      });
    }
}

void findsPlaces(const Kernels& kernels, Random& random) {
  for (int turn = 0; turn < 40; turn++) {
    Case c{kernels, random};
    const Index sizes = random.sizes(1 + random.below(3));
    const size_t axis = random.below(sizes.size());
    const bool least = random.below(2), last = random.below(2);
    Index kept = sizes, gone(sizes.size(), 1);
    std::swap(kept[axis], gone[axis]);
    const Operand x = c.places.take(Element::float32, sizes), y = c.places.take(Element::int64, kept, false);
    c.build(instruction(Opcode::argReduce, least, last, double(axis), x, y));
    fillWhole<float>(c.io(), x, random, 0, 4);
    if (turn % 4 == 0)
      valueOf<float>(c.io(), x, Index(sizes.size(), 0)) = NAN;
    CHECK(c.built->run() == Program::done);
    forEachIndex(kept, [&](const Index& i) {
      const std::vector<float> values = line<float>(c.io(), x, i, gone);
      const auto nan = std::find_if(values.begin(), values.end(), [](float v) { return v != v; });
      size_t expected = size_t(nan - values.begin());
      if (nan == values.end()) {
        const float best =
            least ? *std::min_element(values.begin(), values.end()) : *std::max_element(values.begin(), values.end());
        expected = last ? values.size() - 1 - size_t(std::find(values.rbegin(), values.rend(), best) - values.rbegin())
                        : size_t(std::find(values.begin(), values.end(), best) - values.begin());
      }
      CHECK(valueOf<int64_t>(c.io(), y, i) == int64_t(expected));
    });
  }
}

void normalizes(const Kernels& kernels, Random& random) {
  for (int turn = 0; turn < 40; turn++) {
    Case c{kernels, random};
    const Index sizes = random.sizes(2 + random.below(3));
    const bool isSoftmax = turn % 2, isLog = turn % 4 == 1, hasScale = random.below(2), hasBias = random.below(2);
    const size_t axes = isSoftmax ? 1 : 1 + random.below(sizes.size() - 1), first = sizes.size() - axes;
    const size_t axis = isSoftmax ? random.below(sizes.size()) : first;
    const Operand x = c.places.take(Element::float32, sizes), scale = c.places.take(Element::float32, sizes),
                  bias = c.places.take(Element::float32, sizes), y = c.places.take(Element::float32, sizes, false);
    Writer writer;
    if (isSoftmax) {
      writer.add(isLog).add(double(axis)).add(x).add(y);
    } else {
      writer.add(1e-5).add(double(axes)).add(x);
      hasScale ? writer.add(scale) : writer.add(-1);
      hasBias ? writer.add(bias) : writer.add(-1);
      writer.add(y);
    }
    Numbers numbers{double(isSoftmax ? Opcode::softmax : Opcode::norm), double(writer.numbers.size())};
    numbers.insert(numbers.end(), writer.numbers.begin(), writer.numbers.end());
    c.build(numbers);
    for (const Operand* operand : {&x, &scale, &bias})
      fillWhole<float>(c.io(), *operand, random, -5, 11);
    CHECK(c.built->run() == Program::done);
    Index kept = sizes, gone(sizes.size(), 1);
    for (size_t i = 0; i < sizes.size(); i++)
      if (isSoftmax ? i == axis : i >= first)
        std::swap(kept[i], gone[i]);
    forEachIndex(kept, [&](const Index& i) {
      const std::vector<float> row = line<float>(c.io(), x, i, gone), by = line<float>(c.io(), scale, i, gone),
                               plus = line<float>(c.io(), bias, i, gone), found = line<float>(c.io(), y, i, gone);
      std::vector<float> expected(row.size());
      if (isSoftmax)
        kernels.ops.softmax(row.data(), expected.data(), row.size(), isLog);
      else
        kernels.ops.norm(row.data(), hasScale ? by.data() : nullptr, hasBias ? plus.data() : nullptr, expected.data(),
                         row.size(), 1e-5f);
      for (size_t k = 0; k < row.size(); k++)
        CHECK(same(found[k], expected[k]));
    });
  }
}

void gathers(const Kernels& kernels, Random& random) {
  for (int turn = 0; turn < 60; turn++) {
    Case c{kernels, random};
    const Index sizes = random.sizes(1 + random.below(3)), places = random.sizes(random.below(3));
    const size_t axis = random.below(sizes.size());
    const bool isWide = turn % 2, fails = turn % 8 == 0;
    const Element element = turn % 3 ? Element::float32 : Element::int64,
                  index = isWide ? Element::int64 : Element::int32;
    Index made(sizes.begin(), sizes.begin() + ptrdiff_t(axis));
    made.insert(made.end(), places.begin(), places.end());
    made.insert(made.end(), sizes.begin() + ptrdiff_t(axis) + 1, sizes.end());
    const Operand x = c.places.take(element, sizes), indices = c.places.take(index, places),
                  y = c.places.take(element, made, false);
    c.build(instruction(Opcode::gather, double(axis), x, indices, y));
    for (size_t i = 0; i < c.io().size(); i++)
      c.io().at()[i] = char(random.below(256));
    const int64_t limit = int64_t(sizes[axis]);
    forEachIndex(places, [&](const Index& i) {
      const int64_t place = fails ? (turn % 16 ? limit : -limit - 1) : int64_t(random.below(2 * sizes[axis])) - limit;
      if (isWide)
        valueOf<int64_t>(c.io(), indices, i) = place;
      else
        valueOf<int32_t>(c.io(), indices, i) = int32_t(place);
    });
    CHECK(c.built->run() == (fails ? 1 : Program::done));
    if (fails)
      continue;
    forEachIndex(made, [&](const Index& i) {
      const Index at(i.begin() + ptrdiff_t(axis), i.begin() + ptrdiff_t(axis + places.size()));
      const int64_t place =
          isWide ? valueOf<int64_t>(c.io(), indices, at) : int64_t(valueOf<int32_t>(c.io(), indices, at));
      Index from(i.begin(), i.begin() + ptrdiff_t(axis));
      from.push_back(size_t(place < 0 ? place + limit : place));
      from.insert(from.end(), i.begin() + ptrdiff_t(axis + places.size()), i.end());
      if (element == Element::int64)
        CHECK(valueOf<int64_t>(c.io(), y, i) == valueOf<int64_t>(c.io(), x, from));
      else
        CHECK(same(valueOf<float>(c.io(), y, i), valueOf<float>(c.io(), x, from)));
    });
  }
}

void gathersElements(const Kernels& kernels, Random& random) {
  for (int turn = 0; turn < 40; turn++) {
    Case c{kernels, random};
    const Index sizes = random.sizes(1 + random.below(3));
    const size_t axis = random.below(sizes.size());
    Index made = sizes;
    for (size_t& size : made)
      size = 1 + random.below(size);
    made[axis] = 1 + random.below(7);
    const bool fails = turn % 8 == 0;
    const Operand x = c.places.take(Element::int32, sizes), indices = c.places.take(Element::int64, made),
                  y = c.places.take(Element::int32, made, false);
    c.build(instruction(Opcode::gatherElements, double(axis), x, indices, y));
    fillWhole<int32_t>(c.io(), x, random, -50, 100);
    const int64_t limit = int64_t(sizes[axis]);
    forEachIndex(made, [&](const Index& i) {
      valueOf<int64_t>(c.io(), indices, i) = fails ? INT64_MIN : int64_t(random.below(2 * sizes[axis])) - limit;
    });
    CHECK(c.built->run() == (fails ? 1 : Program::done));
    forEachIndex(made, [&](const Index& i) {
      const int64_t place = valueOf<int64_t>(c.io(), indices, i);
      Index from = i;
      from[axis] = size_t(place < 0 ? place + limit : place);
      if (!fails)
        CHECK(valueOf<int32_t>(c.io(), y, i) == valueOf<int32_t>(c.io(), x, from));
    });
  }
}

} // namespace

int main() {
  Random random(1);
  for (const Kernels* kernels : tablesHere()) {
    for (int turn = 0; turn < 3; turn++)
      maps(*kernels, random), zips(*kernels, random), logical(*kernels, random), chooses(*kernels, random);
    mapsIntegers<int32_t>(*kernels, random, Element::int32), mapsIntegers<int64_t>(*kernels, random, Element::int64);
    mapsIntegers<uint8_t>(*kernels, random, Element::uint8), mapsIntegers<int8_t>(*kernels, random, Element::int8);
    zipsIntegers<int32_t>(*kernels, random, Element::int32), zipsIntegers<int64_t>(*kernels, random, Element::int64);
    zipsIntegers<uint8_t>(*kernels, random, Element::uint8), zipsIntegers<int8_t>(*kernels, random, Element::int8);
    casts<float, int32_t>(*kernels, random, Element::float32, Element::int32);
    casts<float, uint8_t>(*kernels, random, Element::float32, Element::uint8);
    casts<float, uint8_t>(*kernels, random, Element::float32, Element::boolean);
    casts<int64_t, float>(*kernels, random, Element::int64, Element::float32);
    casts<int64_t, int8_t>(*kernels, random, Element::int64, Element::int8);
    casts<int8_t, int64_t>(*kernels, random, Element::int8, Element::int64);
    casts<uint8_t, float>(*kernels, random, Element::boolean, Element::float32);
    casts<uint8_t, int32_t>(*kernels, random, Element::uint8, Element::int32);
    castsBeyond(*kernels);
    reduces<float>(*kernels, random, Element::float32);
    reduces<int32_t>(*kernels, random, Element::int32);
    reduces<int64_t>(*kernels, random, Element::int64);
    findsPlaces(*kernels, random);
    normalizes(*kernels, random);
    gathers(*kernels, random);
    gathersElements(*kernels, random);
  }
  return unit::end();
}
