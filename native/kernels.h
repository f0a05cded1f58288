// The contract between the engine and the kernels: data only. Knows the kernels' arguments, not how they compute.
//
// Packed layout (made by pack.cpp, read by run.h). A product has N outputs, each with G gates, and K inputs. Outputs
// are cut into panels of `lanes` units (the last padded with zeros) and panels into blocks of at most `maxPanels`;
// a block is [k][panel][gate][lane], so that a batch of one streams it from its first byte to its last.
// Results that stay inside the engine ("packed rows") are [panel][gate][lane].
#pragma once
#include <cstddef>
#include <cstdint>

namespace native_rnn {

enum class CellKind : uint8_t { rnnTanh, rnnRelu, gru, gruResetBefore, lstm, lstmPeephole };
constexpr size_t cellKinds = 6;

// CPU features a table may need; cpu.cpp reads them off the machine.
enum CpuFeature : uint32_t { cpuAvx = 1, cpuAvx2 = 2, cpuFma = 4, cpuAvx512f = 8, cpuAvx512vl = 16, cpuAvx512dq = 32, cpuNeon = 64 };

// One packed matrix: y[n][g] = start[n][g] + sum over k of w[k][n][g] · a[k].
struct Product {
  const float* weights; // blocks as above
  const float* start;   // packed row: what each sum starts from (the bias, or zeros)
  size_t K;             // inputs
  size_t panels;        // ceil(N / lanes)
};

// Rows of a product that has no cell: the input product of many steps, a Linear layer.
struct ProductArgs {
  Product product;
  size_t gates;
  size_t partials;   // partial sums an output, see partialSums() in pack.h
  const float* a;    // rows × K
  size_t aStride;    // floats from one row to the next
  float* y;          // rows × (panels · gates · lanes), packed rows
  size_t yStride;
  size_t rows;
  float* carry;      // scratch: rows × maxTileFloats of partial sums between slices of K
};

// T steps of one layer in one direction over B rows. State buffers are padded rows of `hStride` floats.
struct RunArgs {
  Product first;       // recurrent product: all gates (GRU with reset before: r and z)
  Product second;      // second phase: GRU with reset before: n; projection: weight_hr; else unused
  bool projects;       // LSTM with projection
  size_t partials;
  size_t secondPartials;
  size_t T, B;
  size_t units;        // H
  size_t outputs;      // O: what one output row holds
  const float* x;      // input sums, packed rows; row (t, b) at x + t·xStepStride + b·xRowStride
  size_t xStepStride, xRowStride;
  const float* peephole; // packed row of 3 gates: ci, cf, co
  float* h[2];         // B rows of state: h[0] holds the state before the first step; roles swap at each step,
  size_t hStride;      // so that the newest state is in h[T & 1]
  float* c;            // B rows of cell state, in place
  size_t cStride;
  float* between;      // B rows: r ⊙ h, or o ⊙ tanh(c) before the projection
  float* between2;     // B rows: z of the GRU with reset before
  size_t betweenStride;
  float* const* y;     // B pointers to the output row of the first step, or null
  ptrdiff_t yStep;     // floats from one step's output row to the next; negative when time runs backwards
  float* carry;        // as above
  // Units of one step split over threads: this thread does panels [firstPanel, lastPanel) of `first`
  // and the same share of `second`, and calls `meet` after each phase. Null where one thread does all.
  void (*meet)(void*);
  void* meetArgument;
  size_t share, shares;
};

struct Kernels {
  const char* name;    // 'avx512', 'avx2', 'neon', 'portable'
  uint32_t needs;      // CpuFeature bits
  bool fused;          // every multiply-add is fused, so that the bits equal those of every other fused table
  size_t lanes;        // units in a panel
  size_t maxPanels[5][4]; // panels in a block, by gates (1 … 4) and log2 of the partial sums
  void (*product)(const ProductArgs&);
  void (*run[cellKinds])(const RunArgs&);
};

} // namespace native_rnn
