// The contract between the engine and the kernels: data only. Knows the kernels' arguments, not how they compute.
//
// Packed layout (made by pack.cpp, read by run.h). A product has N outputs, each with G gates, and K inputs. Outputs
// are cut into panels of `lanes` units (the last padded with zeros) and panels into blocks; a block is
// [k][panel][gate][lane], so that a batch of one streams it from its first byte to its last. Where a table has half
// panels and half a panel is enough for the last units, it is one, in a block of its own.
// Results that stay inside the engine ("packed rows") are [panel][gate][lane].
#pragma once
#include "../spec/cell_traits.h"

namespace native_rnn {

// CPU features a table may need; cpu.cpp reads them off the machine.
enum CpuFeature : uint32_t {
  cpuAvx = 1,
  cpuAvx2 = 2,
  cpuFma = 4,
  cpuAvx512f = 8,
  cpuAvx512vl = 16,
  cpuAvx512dq = 32,
  cpuNeon = 64
};

// One packed matrix: y[n][g] = start[n][g] + Σ over k of w[k][n][g] · a[k].
struct PackedView {
  const float* weights;                // blocks as above
  const float* bias;                   // packed row: what each sum starts from (the bias, or zeros)
  size_t K;                            // inputs
  size_t blocks;                       // of panels
  size_t panelsPerBlock, largerBlocks; // panels of a whole block; how many blocks, the first ones, have one more
  bool tailHalf;                       // the last block is half a panel
  int kSplitsLog2; // log2 of the partial sums an output: sum s takes the k with k mod 2^partials = s
};

// Rows of a product that has no cell: the input product of many steps, a Linear layer.
struct GemmArgs {
  PackedView matrix;
  const float* a;    // rows × K
  ptrdiff_t aStride; // floats from one row to the next
  float* y;          // packed rows
  size_t yStride;
  size_t rows;
};

// T steps of one layer in one direction over B rows. State buffers are padded, 64-byte aligned rows.
struct RecurrenceArgs {
  PackedView recurrent; // recurrent product of all gates (GRU with reset before: of r and z)
  PackedView second;    // second phase: n of the GRU with reset before, or the projection
  bool projects;        // LSTM with projection
  size_t T, B;
  size_t outputs;          // floats of one output row
  const float* inputGates; // input sums, packed rows; row (t, b) at x + t·xStep + b·xRow
  size_t inputGatesStep, inputGatesRow;
  // For one step of one row of a cell without a second product of gates: the row, whose input sums are then computed on
  // the way, and x is not read. Else null.
  const float* input;
  PackedView inputMatrix;
  // Of several steps of one row over several blocks, without partial sums: `aheadRows` rows of input sums for later
  // steps, made on the way. No rows: none.
  GemmArgs overlapped;
  bool reverseBlocks;    // the first step walks over the weights from the last block to the first; each next one turns
  const float* peephole; // packed row of 3 gates: ci, cf, co
  float* h[2];           // B rows of state; h[0] is read by the first step, roles swap at each: the newest is h[T % 2]
  size_t hStride;
  float* c;           // B rows of cell state, in place
  float* secondInput; // B rows: r ⊙ h, or o ⊙ tanh(c) before the projection
  float* updateGate;  // B rows: z of the GRU with reset before
  size_t unitStride;  // of c, between, update
  float* const* y;    // B pointers to the output row of the first step, or null
  ptrdiff_t yStep;    // floats from one step's output row to the next; negative when time runs backwards
  // The same pointers where the cells should ask for the memory of the next step's output ahead of its being written;
  // else null.
  float* const* prefetched;
  float* tileScratch; // scratch for rows · carryFloats sums, rows as in carryRows
  // The units of one step split over threads: this one does share `share` of `shares` of the blocks and
  // calls `meet` after each phase. Null where one thread does all.
  void (*arriveAndWait)(void*);
  void* barrier;
  size_t threadIndex, threadCount;
};

// More than RunArgs::ahead ever has.
constexpr size_t maxOverlapRows = 16;

// Rows that pass through `carry` at a time.
constexpr size_t tileScratchRows = 32;

struct Kernels {
  const char* name;   // 'avx512', 'avx2', 'neon', 'portable'
  uint32_t needs;     // CpuFeature bits
  bool fused;         // every multiply-add is fused: the bits equal those of every other fused table
  size_t lanes;       // units in a panel
  bool hasHalfPanels; // there are half panels
  size_t overlapRows; // of RunArgs::ahead; 0: none
  struct {
    size_t single;                  // in the only block, which fits the first-level cache
    size_t several;                 // in one of several blocks
    size_t large;                   // in one of so many that they pass second-level caches
  } blockPanels[4][2];              // of a block, by gates − 1 and log2 of the partial sums
  void (*gemm[4])(const GemmArgs&); // by gates − 1
  void (*recurrence[cellKinds])(const RecurrenceArgs&);
};

} // namespace native_rnn
