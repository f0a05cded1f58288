// What crosses the border to JavaScript as numbers: the header's fields, what each function is asked to do, and how
// calls end. Its twin is lib/backends/protocol.ts; a test holds both against each other. Knows no Node.
//
// What a call is to do, and its sizes, are written into the header before the call, which is far cheaper than
// arguments. Small arrays go through the arena, large ones are arguments.
#pragma once
#include <cstddef>
#include <cstdint>

namespace native_rnn {

// The integers of the header. `op` is what to do: whoever reads it sets it back to 0, which is the most frequent act of
// each function (a forward pass in the arena, a live stream's step).
enum class HeaderField : int32_t { op, T, B, flags, slot };
constexpr size_t headerLength = 16;

// Of the function that is a network.
enum class NetworkOp : int32_t { forwardArena, forward, weights, stream, start, batch, share, dispose };

// Of the function that is a live stream, which steps by CallOp.
enum class StreamOp : int32_t { run, readState, writeState, dispose };

// Of the function that is the live streams of one batcher.
enum class BatchOp : int32_t { launch, collect, bind };

// Of the function that is an operator.
enum class OperatorOp : int32_t { runArena, run, weights, dispose };

// Of the function that all streams step through, and all calls on the pool end with.
enum class CallOp : int32_t { step, takeArena, take, drop, cancel };

// Of the function that is a program, and of the one that is an instance of it.
enum class ProgramOp : int32_t { instance, dispose };
enum class InstanceOp : int32_t { run, start, failedAt, dispose, gather, scatter };

// Bits of HeaderField::flags: what a forward call has beside its input.
enum class ForwardFlag : int32_t { batchFirst = 1, output = 2, h0 = 4, c0 = 8, lengths = 16 };

// How a call on the pool ended.
enum class Outcome : int32_t { done, cancelled, outOfMemory, failed };

} // namespace native_rnn
