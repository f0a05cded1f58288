// Memory of the engine, all of it 64-byte aligned, which kernels rely on; sizes that no memory could hold, and pages
// given back to the system.
#pragma once
#include <cstddef>
#include <cstdint>

namespace native_rnn {

constexpr size_t roundUp(size_t n, size_t multiple) { return (n + multiple - 1) / multiple * multiple; }
// Floats to the next multiple of 64 bytes, a cache line.
constexpr size_t aligned(size_t floats) { return roundUp(floats, 16); }

inline bool isAligned(const float* memory) { return reinterpret_cast<uintptr_t>(memory) % 64 == 0; }

// a · b; throws std::length_error where no memory could hold so many floats.
size_t checkedProduct(size_t a, size_t b);

// Gives the whole pages of this memory back to the system while the memory itself stays allocated; its content is lost.
void discardPages(void* memory, size_t bytes);

// Pages of the system's own, which it provides when they are first written to. Null where there is no memory.
void* mapPages(size_t bytes);
void unmapPages(void* memory, size_t bytes);
// Has the system provide them all at once, where it can: a fifth quicker than one by one. Others wait who map memory.
void populatePages(void* memory, size_t bytes);
// Writes to each of them.
void touchPages(void* memory, size_t bytes);

// Grows to what the largest call so far needed.
class Scratch {
public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();
  float* floats(size_t count); // valid until the next call; throws std::bad_alloc
  size_t bytes() const { return capacity_ * sizeof(float); }

private:
  float* data_ = nullptr;
  size_t capacity_ = 0;
};

// Floats that belong to one object; uninitialised. Throws std::bad_alloc.
class FloatBuffer {
public:
  explicit FloatBuffer(size_t floats);
  FloatBuffer(const FloatBuffer&) = delete;
  FloatBuffer& operator=(const FloatBuffer&) = delete;
  ~FloatBuffer();
  float* data() const { return data_; }
  size_t size() const { return size_; }

private:
  size_t size_;
  float* data_;
};

} // namespace native_rnn
