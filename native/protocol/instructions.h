// A program as numbers: bytes of io, bytes of scratch, count of instructions, then each instruction as its opcode, how
// many numbers follow, and these. Operands are in the order that the comment beside each opcode says.
//
// A view is [element, region, byte offset, rank, size, stride, size, stride …], strides in elements; [−1] stands for
// none. A function is its number and two factors, alpha and beta; −1 stands for none where one may be left out.
#pragma once
#include <cstddef>
#include <cstdint>

namespace native_rnn {

enum class Opcode : int32_t {
  copy,           // x, y
  cast,           // x, y
  fill,           // value, y
  map,            // function, x, y
  zip,            // number of the function, a, b, y
  where,          // condition, a, b, y
  reduce,         // kind, x, y
  argReduce,      // kind (0 largest, 1 smallest), selects the last of equal ones, axis, x, y
  softmax,        // is the logarithm, axis, x, y
  norm,           // epsilon, axes, x, scale or none, bias or none, y
  gather,         // axis, x, indices, y
  gatherElements, // axis, x, indices, y
  oneHot,         // axis, depth, indices, values, y
  cumSum,         // axis, exclusive, reverse, x, y
  topK,           // axis, k, largest, sorted, x, values or none, indices or none
  gemm,           // memory, weights, activations, K, N, function, padded, x, y
  matmul,         // alpha, a, b, y
  conv,           // memory, weights, activations, groups, K, N, window, function, padded, x, y
  depthwise,      // window, function, x, w, bias or none, scales (inputs are brought to int8) or none, y
  convTranspose,  // memory, groups, inputs of a group, N, window, function, x, bias or none, y
  pool,           // kind, kernel (2), strides (2), dilations (2), pads (4), x, y
  network,        // memory, count of numbers, specification, x, lengths, h0, c0, y, hn, cn, all but x or none
  symmetricConv,  // memory, weights, activations, even outputs, odd ones, is tap 0 alone, window, function, x, y
  branch          // condition, instructions where it holds, and after them where it does not
};
constexpr size_t opcodes = static_cast<size_t>(Opcode::branch) + 1;

// What a view's values are. Halves lie in memory as float32; only a cast to them knows the difference, and rounds.
enum class Element : int32_t { float32, int32, int64, boolean, uint8, int8, float16 };
constexpr size_t elementTypes = static_cast<size_t>(Element::float16) + 1;

// The memory that a view lies in.
enum class Region : int32_t { constants, io, scratch };
constexpr size_t regions = static_cast<size_t>(Region::scratch) + 1;

// What a window gives: the largest, the mean of what is inside, the mean with the padding counted.
enum class PoolKind : int32_t { max, average, averageWithPadding };

constexpr size_t mostAxes = 8;

} // namespace native_rnn
