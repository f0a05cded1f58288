// Choices out of the bytes that a fuzzer gives; where they end, numbers that only depend on them go on.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

// Sizes of a small shape, out of any source of choices.
template <class Source>
std::vector<size_t> smallSizes(Source& source, size_t rank) {
  std::vector<size_t> sizes(rank);
  for (size_t& size : sizes)
    size = 1 + source.below(5) * (1 + source.below(3));
  return sizes;
}

class Choices {
public:
  Choices(const uint8_t* data, size_t size) : data_(data), end_(data + size) {
    for (size_t i = 0; i < size; i++)
      seed_ = (seed_ ^ data[i]) * 16777619u;
  }
  size_t below(size_t limit) { return (limit > 256 ? next() * size_t{256} + next() : next()) % limit; }
  uint8_t next() { return data_ < end_ ? *data_++ : uint8_t((seed_ = seed_ * 1103515245u + 12345u) >> 16); }
  std::vector<size_t> sizes(size_t rank) { return smallSizes(*this, rank); }

private:
  const uint8_t* data_;
  const uint8_t* end_;
  uint32_t seed_ = 2166136261u;
};
