// Programs for tests of the C++ core: their numbers written by hand, memory of exactly the length they ask for, and
// packed weights.
#pragma once
#include "choices.h"
#include "graph/program.h"
#include "kernels/dispatch.h"
#include "ops/linear.h"
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

namespace programs {

using namespace native_rnn;
using Numbers = std::vector<double>;

// A dense view of such sizes; strides may be put in its place.
struct Operand {
  Element element = Element::float32;
  Region region = Region::io;
  size_t offset = 0;
  std::vector<size_t> sizes;
  std::vector<ptrdiff_t> strides = {}; // elements; empty: dense
};

inline Numbers numbersOf(const Operand& operand) {
  Numbers numbers{double(operand.element), double(operand.region), double(operand.offset),
                  double(operand.sizes.size())};
  std::vector<ptrdiff_t> strides = operand.strides;
  if (strides.empty()) {
    strides.resize(operand.sizes.size());
    ptrdiff_t step = 1;
    for (size_t i = strides.size(); i-- > 0; step *= ptrdiff_t(operand.sizes[i]))
      strides[i] = step;
  }
  for (size_t i = 0; i < strides.size(); i++) {
    numbers.push_back(double(operand.sizes[i]));
    numbers.push_back(double(strides[i]));
  }
  return numbers;
}

// Appends numbers and operands.
struct Writer {
  Numbers numbers;
  Writer& add(double number) {
    numbers.push_back(number);
    return *this;
  }
  Writer& add(const Operand& operand) {
    const Numbers own = numbersOf(operand);
    numbers.insert(numbers.end(), own.begin(), own.end());
    return *this;
  }
};
template <class... Parts>
Numbers instruction(Opcode opcode, const Parts&... parts) {
  Writer writer;
  (writer.add(parts), ...);
  Numbers numbers{double(opcode), double(writer.numbers.size())};
  numbers.insert(numbers.end(), writer.numbers.begin(), writer.numbers.end());
  return numbers;
}

// Bytes of their own, with nothing behind them that a sanitizer would not see.
class Bytes {
public:
  explicit Bytes(size_t size) : size_(size) {
    if (posix_memalign(&data_, 64, size ? size : 1) != 0)
      std::abort();
    std::memset(data_, 0, size ? size : 1);
  }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  ~Bytes() { std::free(data_); }
  template <class Value = char>
  Value* at(size_t offset = 0) const {
    return reinterpret_cast<Value*>(static_cast<char*>(data_) + offset);
  }
  size_t size() const { return size_; }

private:
  void* data_ = nullptr;
  size_t size_;
};

// What a test runs: sizes, constants, weights and instructions.
struct Source {
  size_t ioBytes = 0, scratchBytes = 0;
  std::vector<char> constants;
  std::vector<std::vector<float>> weights;      // (N, K) and N biases behind them
  std::vector<std::pair<size_t, size_t>> sizes; // K, N of each
  std::vector<Numbers> instructions;

  Numbers numbers() const {
    Numbers all{double(ioBytes), double(scratchBytes), double(instructions.size())};
    for (const Numbers& one : instructions)
      all.insert(all.end(), one.begin(), one.end());
    return all;
  }
};

// A program and the memory that it looks at.
class Built {
public:
  Built(const Source& source, const Kernels& kernels) : Built(source, source.numbers(), kernels) {}
  Built(const Source& source, const Numbers& numbers, const Kernels& kernels)
      : constants_(source.constants.size()), io(source.ioBytes) {
    if (!source.constants.empty())
      std::memcpy(constants_.at(), source.constants.data(), source.constants.size());
    std::vector<Surroundings::Memory> memories;
    for (size_t i = 0; i < source.weights.size(); i++) {
      const size_t sizes[] = {source.sizes[i].first, source.sizes[i].second};
      const size_t bytes = Linear::packedBytes(sizes, {}, kernels);
      packed_.push_back(std::make_unique<Bytes>(bytes));
      const float* const plain[] = {source.weights[i].data(), source.weights[i].data() + sizes[0] * sizes[1], nullptr};
      Linear(sizes, {}, kernels, packed_.back()->at()).pack(plain);
      memories.push_back({packed_.back()->at<float>(), bytes / sizeof(float)});
    }
    program = std::make_unique<Program>(numbers.data(), numbers.size(), kernels, 1, constants_.at(),
                                        source.constants.size(), std::move(memories));
  }
  size_t run() {
    Scratch scratch;
    return program->run(io.at(), scratch, nullptr);
  }

private:
  Bytes constants_;
  std::vector<std::unique_ptr<Bytes>> packed_;

public:
  Bytes io;
  std::unique_ptr<Program> program;
};

inline std::vector<const Kernels*> tablesHere() {
  size_t count;
  const Kernels* const* const tables = kernelTables(count);
  std::vector<const Kernels*> here;
  for (size_t i = 0; i < count; i++)
    if (runsHere(*tables[i]))
      here.push_back(tables[i]);
  return here;
}

// Small whole numbers, so that float32 sums are exact in any order.
inline std::vector<float> wholeNumbers(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> values(count);
  for (float& value : values)
    value = float(int(random() % 17) - 8);
  return values;
}

// Random choices, the same in each run.
class Random {
public:
  explicit Random(unsigned seed) : engine_(seed) {}
  size_t below(size_t limit) { return engine_() % limit; }
  std::vector<size_t> sizes(size_t rank) { return smallSizes(*this, rank); }

private:
  std::mt19937 engine_;
};

// Places for operands in io, one behind the other, with any order of axes, gaps, axes that run backwards and axes that
// repeat.
struct Places {
  Random& random;
  size_t bytes = 0;
  Operand take(Element element, const std::vector<size_t>& sizes, bool mayRepeat = true) {
    std::vector<size_t> order(sizes.size());
    for (size_t i = 0; i < order.size(); i++)
      order[i] = i;
    if (random.below(2))
      for (size_t i = order.size(); i > 1; i--)
        std::swap(order[i - 1], order[random.below(i)]);
    Operand operand{element, Region::io, 0, sizes, std::vector<ptrdiff_t>(sizes.size())};
    ptrdiff_t step = random.below(4) ? 1 : 2, before = 0;
    for (size_t i = order.size(); i-- > 0;) {
      const size_t axis = order[i];
      if (mayRepeat && random.below(6) == 0)
        continue;
      const ptrdiff_t last = step * ptrdiff_t(sizes[axis] - 1);
      const bool isBackwards = random.below(6) == 0;
      operand.strides[axis] = isBackwards ? -step : step;
      before += isBackwards ? last : 0;
      step *= ptrdiff_t(sizes[axis]) + ptrdiff_t(random.below(8) == 0);
    }
    const size_t size = bytesOf(element);
    operand.offset = roundUp(bytes, 8) + size_t(before) * size;
    bytes = roundUp(bytes, 8) + size_t(step) * size;
    return operand;
  }
};

template <class Body>
void forEachIndex(const std::vector<size_t>& sizes, const Body& body) {
  std::vector<size_t> index(sizes.size());
  for (;;) {
    body(static_cast<const std::vector<size_t>&>(index));
    size_t axis = sizes.size();
    for (; axis > 0; axis--) {
      if (++index[axis - 1] < sizes[axis - 1])
        break;
      index[axis - 1] = 0;
    }
    if (axis == 0)
      return;
  }
}

template <class Value>
Value& valueOf(const Bytes& io, const Operand& operand, const std::vector<size_t>& index) {
  ptrdiff_t at = 0;
  for (size_t i = 0; i < index.size(); i++)
    at += ptrdiff_t(index[i]) * operand.strides[i];
  return io.at<Value>(operand.offset)[at];
}

// Fills an operand with whole numbers from `least` on, `count` different ones.
template <class Value>
void fillWhole(const Bytes& io, const Operand& operand, Random& random, int least, size_t count) {
  forEachIndex(operand.sizes, [&](const auto& index) {
    valueOf<Value>(io, operand, index) = static_cast<Value>(least + int(random.below(count)));
  });
}

} // namespace programs
