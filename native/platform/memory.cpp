// The allocator's and the system's calls behind memory.h.
#include "memory.h"
#include "failures.h"
#include <cstdint>
#include <cstdlib>
#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>
#elif !defined(__wasm__)
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace native_rnn {
namespace {

float* allocateAligned(size_t floats) {
  // Room for the alignment and for what free() needs back.
  constexpr size_t more = 64 + sizeof(void*);
  void* raw = floats > (SIZE_MAX - more) / sizeof(float) ? nullptr : std::malloc(floats * sizeof(float) + more);
  if (!raw)
    failOutOfMemory();
  const uintptr_t at = (reinterpret_cast<uintptr_t>(raw) + sizeof(void*) + 63) & ~uintptr_t(63);
  reinterpret_cast<void**>(at)[-1] = raw;
  return reinterpret_cast<float*>(at);
}

void freeAligned(float* memory) {
  if (memory)
    std::free(reinterpret_cast<void**>(memory)[-1]);
}

} // namespace

size_t checkedProduct(size_t a, size_t b) {
  if (a && b > SIZE_MAX / sizeof(float) / a)
    failTooLarge();
  return a * b;
}

#if defined(__wasm__)
// Memory that was given back once stays the module's, and there are no pages.
void discardPages(void*, size_t) {}
void* mapPages(size_t bytes) { return std::malloc(bytes); }
void unmapPages(void* memory, size_t) { std::free(memory); }
void populatePages(void*, size_t) {}
void touchPages(void*, size_t) {}
#else
void discardPages(void* memory, size_t bytes) {
#ifdef _WIN32
  const uintptr_t page = 65536;
#else
  const uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
#endif
  const uintptr_t start = (reinterpret_cast<uintptr_t>(memory) + page - 1) / page * page;
  const uintptr_t end = (reinterpret_cast<uintptr_t>(memory) + bytes) / page * page;
  if (end <= start)
    return;
#if defined(_WIN32)
  VirtualAlloc(reinterpret_cast<void*>(start), end - start, MEM_RESET, PAGE_READWRITE);
#elif defined(__APPLE__)
  madvise(reinterpret_cast<void*>(start), end - start, MADV_FREE);
#else
  madvise(reinterpret_cast<void*>(start), end - start, MADV_DONTNEED);
#endif
}

// Sanitizers see the allocator's memory only.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
void* mapPages(size_t bytes) { return std::aligned_alloc(4096, roundUp(bytes, 4096)); }
void unmapPages(void* memory, size_t) { std::free(memory); }
#elif defined(_WIN32)
void* mapPages(size_t bytes) { return VirtualAlloc(nullptr, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE); }
void unmapPages(void* memory, size_t) { VirtualFree(memory, 0, MEM_RELEASE); }
#else
void* mapPages(size_t bytes) {
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}
void unmapPages(void* memory, size_t bytes) { munmap(memory, bytes); }
#endif

void populatePages([[maybe_unused]] void* memory, [[maybe_unused]] size_t bytes) {
#ifdef __linux__
  constexpr int populateWrite = 23; // since Linux 5.14; an older one refuses, and nothing is lost
  const uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  if (reinterpret_cast<uintptr_t>(memory) % page == 0)
    madvise(memory, roundUp(bytes, page), populateWrite);
#endif
}

void touchPages(void* memory, size_t bytes) {
  for (size_t at = 0; at < bytes; at += 4096)
    static_cast<volatile char*>(memory)[at] = 0;
}
#endif

Scratch::~Scratch() { freeAligned(data_); }

float* Scratch::floats(size_t count) {
  if (count > capacity_) {
    float* larger = allocateAligned(count);
    freeAligned(data_);
    data_ = larger;
    capacity_ = count;
  }
  return data_;
}

FloatBuffer::FloatBuffer(size_t floats) : size_(floats), data_(allocateAligned(floats)) {}

FloatBuffer::~FloatBuffer() { freeAligned(data_); }

} // namespace native_rnn
