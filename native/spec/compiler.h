// What the kernels ask of a compiler beyond the language.
#pragma once

// What must end in registers must be inlined, whatever the compiler thinks of its size; and the other way round.
#if defined(_MSC_VER)
#define RNN_INLINE __forceinline
#define RNN_NOINLINE __declspec(noinline)
#define RNN_UNLIKELY(condition) (condition)
#define RNN_PREFETCH(memory, isWritten) ((void)(memory))
#else
#define RNN_INLINE inline __attribute__((always_inline))
#define RNN_NOINLINE __attribute__((noinline))
#define RNN_UNLIKELY(condition) __builtin_expect(condition, 0)
// Asks for memory that will be read or written soon; where a compiler has no word for that, nothing.
#define RNN_PREFETCH(memory, isWritten) __builtin_prefetch(memory, isWritten)
#endif

// A product and a sum are one operation only where it says so. (Before 2022 it was Visual C++'s to choose.)
#if defined(_MSC_VER) && !defined(__clang__)
#pragma fp_contract(off)
#endif

// One copy, whatever the compiler could gain by one for each caller.
#if defined(__GNUC__) && !defined(__clang__)
#define RNN_ONE_COPY __attribute__((noinline, noclone))
#else
#define RNN_ONE_COPY RNN_NOINLINE
#endif

// Whether the compiler knows AVX-VNNI.
#if defined(__x86_64__) || defined(_M_X64)
#if defined(__clang__) ? __clang_major__ >= 13 : defined(__GNUC__) ? __GNUC__ >= 11 : _MSC_VER >= 1930
#define RNN_HAS_AVX_VNNI
#endif
#endif

// A condition that the engine promises its kernels. Checked in test builds only: a kernel has no way to say what is
// wrong.
#if defined(RNN_ASSERTS) && !defined(_MSC_VER)
#define RNN_ASSERT(condition) ((condition) ? void() : __builtin_trap())
#else
#define RNN_ASSERT(condition) ((void)0)
#endif
