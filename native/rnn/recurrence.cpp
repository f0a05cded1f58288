// States in and out, and time cut into chunks: the input gates of one are made, then its steps run.
#include "recurrence.h"
#include "../platform/cpu.h"
#include "../spec/cpu_features.h"
#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

namespace native_rnn {
namespace {

// Weights that any first-level cache holds: below, a step gains nothing from walking backwards over them.
constexpr size_t minWeightsForSerpentine = 6144;

// Floats of a step's output that a processor cannot write at once without waiting for memory, of several rows and of
// one: results mostly lie in no cache.
constexpr size_t minFloatsToPrefetch = 512, minFloatsToPrefetchOneRow = 64;

// Multiply-adds of a round of a fork-join.
constexpr size_t macsPerRound = size_t(1) << 20;

// Steps whose input gates are made at once before those of others are made beside them: a tile of fewer rows is slow.
constexpr size_t minLeadSteps = 3;

// Whether a single row's steps should take tiles of later input gates along: where its weights pass the first-level
// cache (several blocks), but lie in a cache, of which others may use a good part: a tile's weights do not lie in a
// row, which is slow from main memory. And what of a tile is longer than the recurrent product beside it is alone, and
// slow.
bool overlapPays(const PackedLayer& layer) {
  const bool beyondFirstLevel = layer.recurrent().blocks().parts > 1 && layer.recurrent().kSplitsLog2() == 0;
  return beyondFirstLevel && layer.weightBytesPerStep() <= dataCaches().last / 4 &&
         layer.inputs() <= 4 * layer.outputs() && layer.fusesLaterInputs();
}

// Whether one thread alone does better without: processors that multiply two vectors of 512 bits a cycle (Zen 5,
// Intel's from Sapphire Rapids on: those of AVX-512 that have AVX-VNNI too) take weights out of the second-level cache
// about as fast as a row can use them, and input weights between them only push them out.
bool feedsOneThread(const PackedLayer& layer) {
  return (cpuFeatures() & cpuAvxVnni) && layer.recurrent().weightBytes() <= dataCaches().second;
}

// Copies the state of rows [begin, end) to where the batch keeps it.
void storeRows(const RowGroup& rows, size_t begin, size_t end, const float* from, size_t stride, size_t width,
               float* to) {
  for (size_t i = begin; i < end; i++)
    std::memcpy(to + rows.row(i) * width, from + i * stride, width * sizeof(float));
}

// The reverse, for all rows.
void loadRows(const RowGroup& rows, const float* from, size_t width, float* to, size_t stride) {
  for (size_t i = 0; i < rows.B; i++)
    if (from)
      std::memcpy(to + i * stride, from + rows.row(i) * width, width * sizeof(float));
    else
      std::fill_n(to + i * stride, width, 0.0f);
}

} // namespace

// It is placed into memory of floats at cache lines, and never destroyed.
static_assert(std::is_trivially_destructible_v<Recurrence> && alignof(Recurrence) <= 64);

size_t Recurrence::floats(const PackedLayer& layer, size_t B, size_t T, bool ordered) {
  return Workspace::Sizes(layer, B, T, ordered).floats();
}

Recurrence::Recurrence(const PackedLayer& layer, const RowGroup& rows, bool reverse, float* memory)
    : layer_(layer), rows_(rows), reverse_(reverse), sizes_(layer, rows.B, rows.T, rows.order != nullptr),
      workspace_(sizes_, memory), inputGates_(layer, rows, reverse, workspace_.gatheredX),
      makesOwnInputGates_(rows.B == 1 && layer.fusesInput()),
      serpentine_(layer.weightsPerStep() > minWeightsForSerpentine),
      overlapRows_(overlapPays(layer) ? layer.kernels().overlapRows : 0), overlapsAlone_(!feedsOneThread(layer)) {
  liveStep_.weights = layer.recurrenceWeights();
  liveStep_.state.h[0] = workspace_.h0;
  liveStep_.state.h[1] = workspace_.h1;
  liveStep_.state.hStride = sizes_.hRow;
  liveStep_.state.c = workspace_.c;
  liveStep_.state.secondInput = workspace_.secondInput;
  liveStep_.state.updateGate = workspace_.updateGate;
  liveStep_.state.unitStride = sizes_.unitRow;
  liveStep_.sequence.inputGates = workspace_.inputGates;
  liveStep_.sequence.inputGatesRow = sizes_.inputGatesRow;
  liveStep_.sequence.outputs = layer.outputs();
  liveStep_.threads.count = 1;
  liveStep_.tileScratch = workspace_.tileScratch;
  liveStep_.fusedInput.matrix = layer.inputView();
  liveStep_.sequence.T = 1;
  liveStep_.sequence.B = rows.B;
  liveStep_.sequence.y = workspace_.outputRows;
}

void Recurrence::setInput(const Strided<const float>& x, bool byPosition) {
  inputGates_.x = x;
  inputGates_.xByPosition = byPosition;
}

void Recurrence::setState(const float* h, const float* c) {
  loadRows(rows_, h, layer_.outputs(), newestState(), sizes_.hRow);
  if (layer_.hasCellState())
    loadRows(rows_, c, layer_.units(), workspace_.c, sizes_.unitRow);
}

void Recurrence::getState(float* h, float* c) const {
  if (h)
    storeRows(rows_, 0, rows_.B, newestState(), sizes_.hRow, layer_.outputs(), h);
  if (c && layer_.hasCellState())
    storeRows(rows_, 0, rows_.B, workspace_.c, sizes_.unitRow, layer_.units(), c);
}

// Rows are ordered by length, the longest first: those that still run at a step are the first ones.
size_t Recurrence::activeAt(size_t step) const {
  if (!rows_.lengths)
    return step < rows_.T ? rows_.B : 0;
  size_t active = rows_.B;
  while (active > 0 && rows_.length(active - 1) <= step)
    active--;
  return active;
}

void Recurrence::advance(size_t begin, size_t end, float* hn, float* cn) {
  size_t active = activeAt(begin);
  for (size_t s = begin; s < end && active > 0;) {
    // Up to the next row's end the same rows run.
    const size_t stop = std::min(end, rows_.length(active - 1));
    if (active == 1 && overlapsOver(stop - s)) {
      runOverlapped(s, stop);
      s = stop;
    }
    const size_t chunk = forkJoin ? std::min(sizes_.chunkSteps, stepsPerRound()) : sizes_.chunkSteps;
    while (s < stop && !isCancelled()) {
      const size_t steps = std::min(chunk, stop - s);
      run(argsOf(s, steps, active), s, steps);
      s += steps;
    }
    if (isCancelled())
      return;
    const size_t still = activeAt(s);
    if (hn)
      storeRows(rows_, still, active, newestState(), sizes_.hRow, layer_.outputs(), hn);
    if (cn)
      storeRows(rows_, still, active, workspace_.c, sizes_.unitRow, layer_.units(), cn);
    active = still;
  }
}

bool Recurrence::overlapsOver(size_t steps) const {
  return overlapRows_ > 0 && (overlapsAlone_ || forkJoin) && steps >= 3 * overlapRows_;
}

// What the kernels get for some steps of the first rows.
RecurrenceArgs Recurrence::argsOf(size_t begin, size_t steps, size_t active) const {
  RecurrenceArgs args = liveStep_;
  RecurrenceArgs::Sequence& sequence = args.sequence;
  args.fusedInput.row = nullptr;
  sequence.y = nullptr;
  sequence.reverseBlocks = false;
  sequence.T = steps;
  sequence.B = active;
  sequence.inputGatesStep = active * sizes_.inputGatesRow;
  if (!y.data)
    return args;
  for (size_t i = 0; i < active; i++)
    workspace_.outputRows[i] = y.at(rows_.timeOf(i, begin, reverse_), yByPosition ? i : rows_.row(i));
  sequence.y = workspace_.outputRows;
  sequence.yStep = reverse_ ? -y.step : y.step;
  sequence.prefetchesNextY =
      active * sequence.outputs >= (active == 1 ? minFloatsToPrefetchOneRow : minFloatsToPrefetch);
  return args;
}

// Steps of a single row, each taking tiles of the input gates of later ones along.
void Recurrence::runOverlapped(size_t begin, size_t end) {
  const size_t R = overlapRows_;
  float* now = workspace_.inputGates;
  float* later = workspace_.inputGates + 2 * R * sizes_.inputGatesRow; // more than the first steps need
  // The first steps are as many as leave whole tiles to the others.
  size_t steps = (end - begin) % R;
  if (steps < minLeadSteps)
    steps += R;
  for (size_t s = begin; s < end && !isCancelled(); s += steps, steps = R) {
    RecurrenceArgs args = argsOf(s, steps, 1);
    args.sequence.inputGates = now;
    if (s + steps < end)
      args.overlap.gemm = inputGates_.ofOneRow(s + steps, R, later);
    run(args, s, s == begin ? steps : 0);
    std::swap(now, later);
  }
}

void Recurrence::run(const RecurrenceArgs& args, size_t begin, size_t inputSteps) {
  if (forkJoin) {
    share(args, begin, inputSteps);
  } else {
    if (inputSteps)
      inputGates_.make(begin, inputSteps, args.sequence.B, workspace_.inputGates);
    layer_.runSteps(args);
  }
  if (args.sequence.T & 1)
    swapStates();
}

// Few steps a round, so that who comes late soon has a share, and who is slow is soon found out.
size_t Recurrence::stepsPerRound() const { return std::max<size_t>(4, macsPerRound / layer_.weightsPerStep()); }

// A single row: the input gates split by steps, then the recurrent steps by units.
void Recurrence::share(const RecurrenceArgs& args, size_t begin, size_t inputSteps) {
  struct Round {
    const Recurrence& recurrence;
    const RecurrenceArgs& args;
    size_t begin, inputSteps;
  } round{*this, args, begin, inputSteps};
  // Rounds are compared by their time a step. Of steps that make input gates for later ones, the first make their own
  // too, and the last none.
  const bool comparable = (inputSteps == 0) == (args.overlap.gemm.rows > 0);
  forkJoin->run(
      [](void* argument, size_t index, size_t count, Barrier& barrier) {
        const Round& round = *static_cast<Round*>(argument);
        const Recurrence& self = round.recurrence;
        const size_t from = round.inputSteps * index / count, to = round.inputSteps * (index + 1) / count;
        if (to > from)
          self.inputGates_.make(round.begin + from, to - from, 1,
                                self.workspace_.inputGates + from * self.sizes_.inputGatesRow);
        if (round.inputSteps)
          barrier.arriveAndWait();
        RecurrenceArgs args = round.args;
        args.threads = {index, count, [](void* barrier) { static_cast<Barrier*>(barrier)->arriveAndWait(); }, &barrier};
        self.layer_.runSteps(args);
      },
      &round, comparable ? args.sequence.T : 0);
}

void Recurrence::step(const float* input, float* output) {
  RecurrenceArgs& args = liveStep_;
  const size_t B = args.sequence.B, outputs = args.sequence.outputs;
  for (size_t b = 0; b < B; b++)
    workspace_.outputRows[b] = output + b * outputs;
  if (makesOwnInputGates_)
    args.fusedInput.row = input;
  else
    layer_.multiplyInput(
        {args.fusedInput.matrix, input, ptrdiff_t(layer_.inputs()), workspace_.inputGates, sizes_.inputGatesRow, B});
  layer_.runSteps(args);
  swapStates();
  args.sequence.reverseBlocks = serpentine_ && !args.sequence.reverseBlocks;
}

} // namespace native_rnn
