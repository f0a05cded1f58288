// Programs that nobody meant: instructions mostly of operands that fit each other, drawn by whoever gives choices, and
// their numbers changed, cut or repeated.
#pragma once
#include "programs.h"
#include <cmath>

namespace programs {

constexpr size_t ioBytes = 2048, scratchBytes = 4096, constantBytes = 256;

template <class Choices>
class Maker {
public:
  explicit Maker(Choices& random) : random_(random) {}

  // Mostly of operands that fit each other.
  Numbers make() {
    sizes_ = random_.sizes(1 + random_.below(3));
    const size_t axis = random_.below(sizes_.size());
    switch (static_cast<Opcode>(random_.below(opcodes))) {
    case Opcode::copy:
      return instruction(Opcode::copy, any(sizes_), any(sizes_));
    case Opcode::cast:
      return instruction(Opcode::cast, any(sizes_), any(sizes_));
    case Opcode::fill:
      return instruction(Opcode::fill, number(), any(sizes_));
    case Opcode::map:
      return instruction(Opcode::map, number(mapFunctions), number(), number(), any(sizes_), any(sizes_));
    case Opcode::zip:
      return instruction(Opcode::zip, number(zipFunctions), any(sizes_), any(sizes_), any(sizes_));
    case Opcode::where:
      return instruction(Opcode::where, of(Element::boolean, sizes_), any(sizes_), any(sizes_), any(sizes_));
    case Opcode::reduce:
      return instruction(Opcode::reduce, number(reductions), any(sizes_), any(without(axis)));
    case Opcode::argReduce:
      return instruction(Opcode::argReduce, number(2), number(2), double(axis), any(sizes_),
                         of(Element::int64, without(axis)));
    case Opcode::softmax:
      return instruction(Opcode::softmax, number(2), double(axis), any(sizes_), any(sizes_));
    case Opcode::norm:
      return instruction(Opcode::norm, 1e-5, number(4), any(sizes_), any(sizes_), any(sizes_), any(sizes_));
    case Opcode::gather:
      return instruction(Opcode::gather, double(axis), any(sizes_), of(index(), {}), any(less(axis)));
    case Opcode::gatherElements:
      return instruction(Opcode::gatherElements, double(axis), any(sizes_), of(index(), sizes_), any(sizes_));
    case Opcode::oneHot:
      return instruction(Opcode::oneHot, double(axis), double(sizes_[axis]), of(index(), less(axis)), any({2}),
                         any(sizes_));
    case Opcode::cumSum:
      return instruction(Opcode::cumSum, double(axis), number(2), number(2), any(sizes_), any(sizes_));
    case Opcode::topK:
      return instruction(Opcode::topK, double(axis), double(sizes_[axis]), number(2), number(2), any(sizes_),
                         any(sizes_), of(Element::int64, sizes_));
    case Opcode::gemm: {
      const size_t rows = 1 + random_.below(40);
      return instruction(Opcode::gemm, 0, number(4), number(2), 5, 7, number(mapFunctions) - 1, number(), number(),
                         number(2), any({rows, 5}), any({rows, 7}));
    }
    case Opcode::matmul: {
      const size_t M = 1 + random_.below(5), K = 1 + random_.below(5), N = 1 + random_.below(5);
      return instruction(Opcode::matmul, number(), any({M, K}), any({K, N}), any({M, N}));
    }
    case Opcode::conv: {
      const size_t B = 1 + random_.below(2), W = 1 + random_.below(8);
      return instruction(Opcode::conv, 0, number(4), number(2), 1, 5, 7, 1, 5, number(3), number(3), number(3),
                         number(3), number(3), number(3), -1, 0, 0, number(2), any({B, 1, W, 1}),
                         any({B, 1, 1 + random_.below(8), 7}));
    }
    case Opcode::symmetricConv: {
      const size_t B = 1 + random_.below(2), W = 7 + random_.below(12);
      return instruction(Opcode::symmetricConv, 0, number(4), number(2), 7, 0, number(2), 1, 8 + random_.below(2), 1,
                         number(3), 1, 1, number(2), number(2), -1, 0, 0, any({B, 1, W, 1}),
                         any({B, 1, 1 + random_.below(4), 7}));
    }
    case Opcode::depthwise: {
      const size_t W = 1 + random_.below(8);
      return instruction(Opcode::depthwise, 1, 3, number(3), number(3), number(3), number(3), number(3), number(3), -1,
                         0, 0, any({1, 1, W, 4}), any({1, 3, 4}), any({4}), any({4}),
                         any({1, 1, 1 + random_.below(8), 4}));
    }
    case Opcode::convTranspose: {
      const size_t W = 1 + random_.below(4);
      return instruction(Opcode::convTranspose, 0, 1, 5, 7, 1, 7, number(3), number(3), number(3), number(3), number(3),
                         number(3), -1, 0, 0, any({1, 1, W, 5}), any({1}), any({1, 1, 1 + random_.below(8), 1}));
    }
    case Opcode::pool:
      return instruction(Opcode::pool, number(3), number(3), number(3), number(3), number(3), number(3), number(3),
                         number(2), number(2), number(2), number(2), any({1, 1 + random_.below(4), 4, 3}),
                         any({1, 1 + random_.below(4), 2, 3}));
    case Opcode::network: {
      const size_t T = 1 + random_.below(4), B = 1 + random_.below(3);
      return instruction(Opcode::network, 1, 9, number(3), number(3), 2, 3, 0, 1, 1, number(4), number(2),
                         any({T, B, 2}), -1, any({1, B, 3}), -1, any({T, B, 3}), any({1, B, 3}), -1);
    }
    default:
      return instruction(Opcode::branch, of(Element::boolean, {}), number(3), number(3));
    }
  }

private:
  double number(size_t limit = 7) { return double(random_.below(limit)); }
  Element index() { return random_.below(2) ? Element::int64 : Element::int32; }
  std::vector<size_t> without(size_t axis) const {
    std::vector<size_t> sizes = sizes_;
    sizes[axis] = 1;
    return sizes;
  }
  std::vector<size_t> less(size_t axis) const {
    std::vector<size_t> sizes = sizes_;
    sizes.erase(sizes.begin() + ptrdiff_t(axis));
    return sizes;
  }
  // Mostly floats, so that operands agree.
  Operand any(std::vector<size_t> sizes) {
    return of(random_.below(4) ? Element::float32 : Element(random_.below(elementTypes)), std::move(sizes));
  }
  Operand of(Element element, std::vector<size_t> sizes) {
    Operand operand{element, Region(random_.below(8) ? 1 + random_.below(2) : 0), 0, std::move(sizes)};
    operand.offset = random_.below(40) * 8;
    if (random_.below(4))
      return operand;
    for (size_t i = 0; i < operand.sizes.size(); i++)
      operand.strides.push_back(ptrdiff_t(random_.below(9)) - 2);
    return operand;
  }
  Choices& random_;
  std::vector<size_t> sizes_;
};

template <class Choices>
double strange(Choices& random) {
  static const double values[] = {-1, 0, 1, 2, 3, 8, 255, 4096, 65536, 1e9, 4294967296.0, 1e15, -1e15, 1.5, -2, 1e300};
  const size_t at = random.below(18);
  return at < 16 ? values[at] : at == 16 ? double(NAN) : double(INFINITY);
}

// Some numbers changed, left out or twice there.
template <class Choices>
void mutate(Numbers& numbers, Choices& random) {
  for (size_t changes = random.below(4); changes > 0 && numbers.size() > 3; changes--) {
    const ptrdiff_t at = ptrdiff_t(3 + random.below(numbers.size() - 3));
    switch (random.below(6)) {
    case 0:
      numbers.erase(numbers.begin() + at);
      break;
    case 1:
      numbers.insert(numbers.begin() + at, strange(random));
      break;
    case 2:
      numbers[size_t(at)] = strange(random);
      break;
    default:
      numbers[size_t(at)] += double(random.below(5)) - 2;
    }
  }
}

// What a run of it may do: sizes that strides of 0 make large take time, and prove nothing.
inline bool isShort(const Numbers& numbers) {
  size_t large = 0;
  for (size_t i = 3; i < numbers.size(); i++)
    large += std::fabs(numbers[i]) > 1e6 ? 2 : std::fabs(numbers[i]) > 320;
  return large < 2;
}

// What they refer to: memory of three regions, and two packed matrices.
inline Source sourceOfAny() {
  Source source;
  source.ioBytes = ioBytes, source.scratchBytes = scratchBytes;
  source.constants.resize(constantBytes, 1);
  source.weights = {wholeNumbers(5 * 7 + 7, 1), wholeNumbers(8 * 80 + 80, 2)};
  source.sizes = {{5, 7}, {8, 80}};
  return source;
}

// The numbers of one to three instructions, some of them changed.
template <class Choices>
Numbers anyNumbers(Source& source, Choices& random) {
  Maker<Choices> maker(random);
  source.instructions.clear();
  for (size_t i = 1 + random.below(3); i > 0; i--)
    source.instructions.push_back(maker.make());
  Numbers numbers = source.numbers();
  mutate(numbers, random);
  return numbers;
}

// Runs what is not refused and would not take long; whether it ran.
template <class Choices>
bool attempt(const Source& source, const Numbers& numbers, const Kernels& kernels, Choices& random) {
  try {
    Built built(source, numbers, kernels);
    if (!isShort(numbers))
      return false;
    for (size_t i = 0; i < built.io.size(); i++)
      built.io.at()[i] = char(random.below(4) ? random.below(3) : random.below(256));
    built.run();
    return true;
  } catch (const std::exception&) { // refused, or what no memory could hold
    return false;
  }
}

} // namespace programs
