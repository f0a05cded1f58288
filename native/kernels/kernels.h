// The contract between the engine and the kernels: data only. Knows the kernels' arguments, not how they compute.
// matmul/layout.h says how packed weights and packed rows lie in memory.
#pragma once
#include "../spec/activation.h"
#include "../spec/cell_traits.h"
#include "../spec/cpu_features.h"
#include "../spec/map_function.h"
#include "../spec/reduction.h"
#include "../spec/weight_type.h"
#include "../spec/zip_function.h"

namespace native_rnn {

struct DotKernels;
struct RecurrenceArgs;
using RowSteps = void (*)(const RecurrenceArgs&);

// One packed matrix of N outputs × G gates × K inputs: y[n][g] = bias[n][g] + Σ over k of w[k][n][g] · a[k].
struct PackedView {
  const void* weights;   // blocks of panels, in the weight type of the kernel that reads them
  const float* bias;     // packed row; zeros where there is none
  const float* scales;   // packed row, where weights have them: y = bias + scale · Σ
  size_t K;              // groups of weights that lie together, of one input in most types
  size_t inputs;         // without padding
  size_t blocks;         // of panels, the tail's among them
  size_t panelsPerBlock; // whole panels of a block …
  size_t largerBlocks;   // … of which the first so many have one more
  bool tailHalf;         // the last block is half a panel
  int kSplitsLog2;       // an output's sum runs in 2^kSplitsLog2 accumulators: accumulator s takes k ≡ s (mod 2^…)
  WeightType type;       // of narrower types one code serves all
  bool asksAhead;        // a single row asks for weights some time before it reads them
  const DotKernels* dots;
};

// Exact sums of products of int8, four inputs of an output beside each other: by what a table's instruction set has, or
// by instructions that only some of its processors have.
struct DotKernels {
  const char* name;
  uint32_t needs; // CpuFeature bits beside the table's
  // One row times the panels of a block from `panel` on: groups [first, first + count) of its weights, to which q
  // belongs; to the sums that are there where it `adds`. `sum` is of q, where sums are asked for.
  using Row = void (*)(const PackedView&, size_t panel, size_t first, size_t count, const int8_t* q, int32_t sum,
                       bool adds, float* out);
  // Rows times some panels: the weights of a group of inputs are wStride from the next one's.
  using Tile = void (*)(const int32_t* w, size_t wStride, const int8_t* q, size_t qStride, const int32_t* sums,
                        size_t groups, float* out, size_t outStride);
  // By gates − 1. A row's: for so many panels, and half a panel behind them.
  Row (*row[4])(size_t panels, bool half);
  Row halfRow[4]; // for half a panel alone
  Tile (*tile[4])(size_t rows, size_t panels);
  Tile (*halfTile[4])(size_t rows, size_t panels);
  int32_t (*sum)(const int8_t* q, size_t count); // null: no sums are asked for
  // By CellKind, for RecurrenceArgs::Weights::rowSteps; null where there are none.
  RowSteps rowSteps[cellKinds];
};

// Of a layer with row steps, the most inputs and the most outputs.
constexpr size_t mostRowStepInputs = 1024;

// Rows times a packed matrix, without a cell: the input gates of many steps, a Linear layer.
struct GemmArgs {
  PackedView matrix;
  const float* a;    // rows × K
  ptrdiff_t aStride; // floats from one row to the next
  float* y;          // packed rows
  size_t yStride;
  size_t rows;
};

// T steps of one layer in one direction over B rows:
//
//   inputGates(t) = W_ih · x(t) + b_ih                         made before, on the way, or beside earlier steps
//   gates(t)      = W_hh · h(t−1) + b_hh
//   h(t), c(t)    = cell(inputGates(t), gates(t), h(t−1), c(t−1))
//
// A cell with a second product writes `secondInput` s(t) in place of h(t), and then
//
//   h(t) = candidate(inputGates(t), W_hn · s(t) + b_hn, z(t), h(t−1))     GRU with the reset gate before, s = r ⊙ h
//   h(t) = W_hr · s(t)                                                    LSTM with projection, s = o ⊙ tanh(c)
//
// State rows are padded and 64-byte aligned; all strides are in floats.
struct RecurrenceArgs {
  struct Weights {
    PackedView recurrent;  // of all gates; without the candidate's where that has a product of its own
    PackedView candidate;  // of a cell with candidate gates
    PackedView projection; // of an LSTM that projects
    bool projects;
    const float* peephole;          // packed row of 3 gates: ci, cf, co; null where the cell has none
    const CellFunctions* functions; // of a general cell
    RowSteps rowSteps; // of int8 times int8: takes the steps of a single row, which may have fusedInput; or null
  } weights;

  struct State {
    float* h[2]; // B rows each; h[0] is read by the first step, roles swap at each: the newest is h[T % 2]
    size_t hStride;
    float* c;           // B rows, in place
    float* secondInput; // B rows
    float* updateGate;  // B rows: z of the GRU with the reset gate before
    size_t unitStride;  // of c, secondInput, updateGate
  } state;

  struct Sequence {
    size_t T, B;
    const float* inputGates; // packed rows; that of (t, b) at inputGates + t · inputGatesStep + b · inputGatesRow
    size_t inputGatesStep, inputGatesRow;
    float* const* y;      // the output rows of the first step, by row; null: no output is wanted
    ptrdiff_t yStep;      // to the next step's output row; negative where time runs backwards
    size_t outputs;       // floats of an output row
    bool prefetchesNextY; // asks for the memory of the next step's output before that is written
    bool reverseBlocks;   // the first step walks over the weights from the last block to the first; each next one turns
  } sequence;

  // One step of one row of a cell without candidate gates may make its input gates itself.
  struct FusedInput {
    const float* row; // x(t); null: the input gates are there already
    PackedView matrix;
  } fusedInput;

  // Steps of one row over several blocks, without k-splits, may make the input gates of `overlapRows` later steps.
  struct Overlap {
    GemmArgs gemm; // no rows: nothing is made
  } overlap;

  // The units of a step of one row may be split over threads, which meet at a barrier after each product.
  struct ThreadShare {
    size_t index, count;                  // this thread takes part `index` of `count` parts of the blocks
    void (*arriveAndWait)(void* barrier); // called where count > 1
    void* barrier;
  } threads;

  float* tileScratch; // tileScratchRows packed rows of the widest block
};

// More than Kernels::overlapRows of any table.
constexpr size_t maxOverlapRows = 16;

// Rows whose accumulators pass through `tileScratch` at a time.
constexpr size_t tileScratchRows = 32;

// The most panels of a block.
struct BlockPanels {
  size_t single;  // of the only block, which fits the first-level cache
  size_t several; // of one of several blocks
  size_t large;   // of one of so many that they pass second-level caches
};

// y[m][n] = alpha · Σ over k of a[m][k] · b[k][n], k ascending; the sum begins at 0, or at what y[m][n] is. b and y are
// contiguous in n; all strides are in floats and may have any sign; y overlaps neither of the others.
struct MatmulArgs {
  size_t M, K, N;
  float alpha;
  const float* a;
  ptrdiff_t aRow, aK;
  const float* b;
  ptrdiff_t bRow;
  float* y;
  ptrdiff_t yRow;
  bool goesOn; // to what y has
};

// y[c] = bias[c] + Σ over the taps of x[tap][c] · w[tap][c], row by row: one pixel of a depthwise convolution, over
// those taps that are within the image. Strides in floats.
struct DepthwiseArgs {
  size_t rows, columns, channels;
  const float* x;
  ptrdiff_t xRow, xColumn;
  const float* w;
  ptrdiff_t wRow, wColumn;
  const float* bias; // null: none
  float* y;
  const float* scales = nullptr; // of int8 alone: y[c] = bias[c] + scales[c] · the scale of the inputs · Σ
};
// The most taps of int8 whose sums are exact in a float: 127 · 127 each.
constexpr size_t mostInt8Taps = 1024;
static_assert(mostInt8Taps * 127 * 127 < size_t(1) << 24, "sums are exact");

// Which of two operands is an array; the other is one value.
enum class Operands : uint8_t { both, oneA, oneB };
constexpr size_t operandKinds = size_t(Operands::oneB) + 1;

// Functions over contiguous floats of any alignment and number. They read and write nothing beyond those, and a value's
// bits do not depend on its place among them.
struct OpKernels {
  // By MapFunction; y may be x. Null for logicalNot.
  void (*map[mapFunctions])(const float* x, float* y, size_t n, float alpha, float beta);
  // By ZipFunction and Operands; y may be a or b. Null for what is not of floats.
  void (*zip[zipFunctions][operandKinds])(const float* a, const float* b, float* y, size_t n);
  // By ZipFunction − equal.
  void (*compare[comparisons][operandKinds])(const float* a, const float* b, uint8_t* y, size_t n);
  // By Reduction: in 16 sums, x[i] to that of i mod 16, then those in pairs.
  float (*reduce[reductions])(const float* x, size_t n);
  // total[i] = total[i] ∘ x[i]; of a sum for mean, of a sum of squares for l2, without what ends them. The first call
  // does not read `total`. Null for logSumExp.
  void (*fold[reductions])(const float* x, float* total, size_t n, bool isFirst);
  void (*softmax)(const float* x, float* y, size_t n, bool isLog); // y may be x
  // y = (x − mean) / √(variance + epsilon) · scale + bias; scale and bias may be null; y may be x.
  void (*norm)(const float* x, const float* scale, const float* bias, float* y, size_t n, float epsilon);
  void (*matmul)(const MatmulArgs&);
  void (*depthwise)(const DepthwiseArgs&);
  void (*depthwiseInt8)(const DepthwiseArgs&); // at most mostInt8Taps
};

// The table of an instruction set.
struct Kernels {
  const char* name;                // 'avx512', 'avx2', 'neon', 'portable'
  uint32_t needs;                  // CpuFeature bits
  bool fused;                      // every multiply-add is fused: the bits equal those of every other fused table
  size_t lanes;                    // units of a panel
  bool hasHalfPanels;              // units of at most half a panel at the end are a panel of half the lanes
  size_t overlapRows;              // of RecurrenceArgs::overlap; 0: none
  BlockPanels blockPanels[4][2];   // by gates − 1 and kSplitsLog2
  bool fusesRowSteps[weightTypes]; // a single row may have fusedInput and overlap
  size_t widenedInt8Caches;        // up to so many first-level caches int8 is float32 with scales; 0: never
  void (*gemm[weightTypes][4])(const GemmArgs&); // by weight type and gates − 1
  void (*recurrence[weightTypes][cellKinds])(const RecurrenceArgs&);
  const DotKernels* dots;
  OpKernels ops;
};

} // namespace native_rnn
