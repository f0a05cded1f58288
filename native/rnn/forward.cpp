// How a call is cut: rows to threads and groups, time to what is kept between two layers.
#include "forward.h"
#include "thread_plan.h"
#include <algorithm>
#include <cstring>
#include <new>
#include <numeric>

namespace native_rnn {
namespace {

// Rows of a group: enough for every tile, few enough for their states to stay in a cache.
constexpr size_t maxGroupRows = 128;
// The fewest rows that a thread takes at a time, by whether half a second-level cache holds the weights: each group
// reads them all again.
constexpr size_t minRows = 8, minRowsOfLarge = 32, beyondHalfSecondLevel = size_t(1) << 16;
// Floats kept between two layers that follow each other through time, and between layers that cannot.
constexpr size_t timeBlockFloats = 65536, wholeSequenceFloats = size_t(1) << 22;
// Multiplications of one gate in a cut of a layer that a thread takes at a time.
constexpr size_t macsPerTimeBlock = 262144;

template <class Float>
Float* stateOf(Float* states, size_t index, size_t B, size_t width) {
  return states ? states + index * B * width : nullptr;
}

} // namespace

struct Forward::ThreadMemory {
  float *between, *recurrences;
  ForkJoin* forkJoin;
};

Forward::Forward(const ForwardCall& call, const NetworkSpec& spec, const std::vector<PackedLayer>& layers)
    : call_(call), spec_(spec), layers_(layers), D_(spec.directions()), L_(spec.numLayers), O_(spec.outputSize()),
      followsThroughTime_(spec.direction == Direction::forward) {
  const size_t T = call.T, B = call.B;
  unevenLengths_ =
      call.lengths && std::any_of(call.lengths, call.lengths + B, [&](int32_t length) { return size_t(length) != T; });
  threads_ = plannedThreads(call, layers);
  rowThreads_ = std::max<size_t>(1, std::min(threads_, B));
  const bool idle = rowThreads_ == 1 && threads_ > 1;
  const size_t work = B * spec.hiddenSize * (O_ + (L_ > 1 ? O_ : spec.inputSize));
  splitsDirections_ = idle && D_ == 2;
  splitsLayers_ = idle && followsThroughTime_ && L_ > 1 && T * work >= 8 * macsPerTimeBlock;
  const bool maySplitUnits = idle && D_ == 1 && !splitsLayers_ && B == 1;
  if (maySplitUnits)
    threads_ = unitThreads(layers[0], threads_);
  splitsUnits_ = maySplitUnits && threads_ > 1;
  size_t weights = 0;
  for (const PackedLayer& layer : layers)
    weights = std::max(weights, layer.weightsPerStep());
  minRows_ = std::min(weights > beyondHalfSecondLevel ? minRowsOfLarge : minRows, (B + rowThreads_ - 1) / rowThreads_);
  rowGroup_ = std::min(B, maxGroupRows);
  rowGroup_ = nextGroupRows(B);
  const size_t width = D_ * O_;
  timeBlock_ = T;
  if (splitsLayers_)
    timeBlock_ = std::min(T / 8 + 1, std::max<size_t>(1, macsPerTimeBlock / work));
  else if (L_ > 1 && followsThroughTime_)
    timeBlock_ = std::min(T, std::max<size_t>(1, timeBlockFloats / std::max<size_t>(1, rowGroup_ * width)));
  else if (L_ > 1)
    rowGroup_ = std::min(rowGroup_, std::max<size_t>(8, wholeSequenceFloats / std::max<size_t>(1, T * width)));
  recurrenceFloats_ = 0;
  for (const PackedLayer& layer : layers)
    recurrenceFloats_ = std::max(recurrenceFloats_, Recurrence::floats(layer, rowGroup_, T, unevenLengths_));
  betweenFloats_ = L_ > 1 ? aligned(timeBlock_ * rowGroup_ * width) : 0;
  // Layers at work at the same time write one cut while the next layer reads the one before.
  betweenCount_ = splitsLayers_ ? 2 * (L_ - 1) : 2;
  const size_t recurrences = followsThroughTime_ ? L_ : splitsDirections_ ? 2 : 1;
  threadFloats_ = betweenCount_ * betweenFloats_ + recurrences * recurrenceFloats_ +
                  aligned(L_ * sizeof(Recurrence) / sizeof(float));
}

size_t Forward::floats() const {
  // The rows sorted, and dealt to the groups.
  return (unevenLengths_ ? aligned(2 * call_.B) : 0) + rowThreads_ * threadFloats_;
}

// How many of the rows that are left a thread takes: fewer and fewer, so that threads that came late or are slow end
// with the others.
size_t Forward::nextGroupRows(size_t left) const {
  if (rowThreads_ == 1)
    return std::min(left, rowGroup_);
  return std::min({left, rowGroup_, std::max(minRows_, roundUp((left + 2 * rowThreads_ - 1) / (2 * rowThreads_), 4))});
}

Strided<const float> Forward::input(size_t layer, const ThreadMemory& thread, size_t block) const {
  if (layer > 0) {
    const Strided<float> from = output(layer - 1, thread, block);
    return {from.data, from.step, from.row};
  }
  const ptrdiff_t I = ptrdiff_t(spec_.inputSize), T = ptrdiff_t(call_.T), B = ptrdiff_t(call_.B);
  return call_.batchFirst ? Strided<const float>{call_.x, I, T * I} : Strided<const float>{call_.x, B * I, I};
}

// Between layers (cut, group, D·O), rows by position; after the last as the caller wants it.
Strided<float> Forward::output(size_t layer, const ThreadMemory& thread, size_t block) const {
  const ptrdiff_t width = ptrdiff_t(D_ * O_), T = ptrdiff_t(call_.T), B = ptrdiff_t(call_.B);
  if (layer + 1 < L_)
    return {thread.between + (splitsLayers_ ? 2 * layer + block % 2 : layer % 2) * betweenFloats_,
            ptrdiff_t(rowGroup_) * width, width};
  return call_.batchFirst ? Strided<float>{call_.y, width, T * width} : Strided<float>{call_.y, B * width, width};
}

// Sets a pass of layer l, direction d up.
Recurrence Forward::recurrence(const RowGroup& rows, size_t l, size_t d, const ThreadMemory& thread,
                               float* memory) const {
  const bool reverse = d == 1 || spec_.direction == Direction::reverse;
  const size_t index = l * D_ + d;
  Recurrence recurrence(layers_[index], rows, reverse, memory);
  recurrence.x = input(l, thread);
  recurrence.y = output(l, thread);
  if (recurrence.y.data)
    recurrence.y.data += d * O_;
  recurrence.xByPosition = l > 0;
  recurrence.yByPosition = l + 1 < L_;
  recurrence.forkJoin = splitsUnits_ ? thread.forkJoin : nullptr;
  recurrence.cancelled = call_.cancelled;
  recurrence.setState(stateOf(call_.h0, index, call_.B, O_), stateOf(call_.c0, index, call_.B, spec_.hiddenSize));
  return recurrence;
}

void Forward::advance(Recurrence& recurrence, size_t l, size_t d, size_t begin, size_t end) const {
  const size_t index = l * D_ + d;
  recurrence.advance(begin, end, stateOf(call_.hn, index, call_.B, O_),
                     stateOf(call_.cn, index, call_.B, spec_.hiddenSize));
}

// Takes layer l through one cut of time.
void Forward::advanceTimeBlock(Recurrence* recurrences, size_t l, size_t block, const ThreadMemory& thread) const {
  const size_t begin = block * timeBlock_, end = std::min(call_.T, begin + timeBlock_);
  // What is kept between layers begins at the cut.
  if (l > 0)
    recurrences[l].x.data = input(l, thread, block).data - ptrdiff_t(begin) * recurrences[l].x.step;
  if (l + 1 < L_)
    recurrences[l].y.data = output(l, thread, block).data - ptrdiff_t(begin) * recurrences[l].y.step;
  advance(recurrences[l], l, 0, begin, end);
}

// All layers follow each other through time, a cut at a time; with threads to spare each layer one cut behind the one
// below it, so that all are at work.
void Forward::runThroughTime(const RowGroup& rows, const ThreadMemory& thread) const {
  struct Wavefront {
    const Forward& call;
    Recurrence* recurrences; // in memory that is there already: nothing may fail once the call has begun
    const ThreadMemory& thread;
    size_t blocks, front;
  } wave{*this, reinterpret_cast<Recurrence*>(thread.recurrences + L_ * recurrenceFloats_), thread,
         (call_.T + timeBlock_ - 1) / timeBlock_, 0};
  for (size_t l = 0; l < L_; l++)
    new (wave.recurrences + l) Recurrence(recurrence(rows, l, 0, thread, thread.recurrences + l * recurrenceFloats_));
  if (!splitsLayers_) {
    for (size_t block = 0; block < wave.blocks && !isCancelled(); block++)
      for (size_t l = 0; l < L_; l++)
        advanceTimeBlock(wave.recurrences, l, block, thread);
    return;
  }
  for (; wave.front < wave.blocks + L_ - 1 && !isCancelled(); wave.front++)
    thread.forkJoin->run(
        [](void* argument, size_t share, size_t shares, Barrier&) {
          const Wavefront& wave = *static_cast<Wavefront*>(argument);
          for (size_t l = share; l < wave.call.L_; l += shares)
            if (l <= wave.front && wave.front - l < wave.blocks)
              wave.call.advanceTimeBlock(wave.recurrences, l, wave.front - l, wave.thread);
        },
        &wave, 0);
}

void Forward::runLayer(const RowGroup& rows, size_t l, size_t d, const ThreadMemory& thread) const {
  Recurrence one = recurrence(rows, l, d, thread, thread.recurrences + (splitsDirections_ ? d * recurrenceFloats_ : 0));
  advance(one, l, d, 0, call_.T);
}

// A layer goes through all of time before the next one begins.
void Forward::runByLayers(const RowGroup& rows, const ThreadMemory& thread) const {
  struct Directions {
    const Forward& call;
    const RowGroup& rows;
    size_t l;
    const ThreadMemory& thread;
  };
  for (size_t l = 0; l < L_ && !isCancelled(); l++) {
    Directions directions{*this, rows, l, thread};
    parallelFor(
        D_, splitsDirections_ ? 2 : 1,
        [](void* argument, size_t d) {
          const Directions& it = *static_cast<Directions*>(argument);
          it.call.runLayer(it.rows, it.l, d, it.thread);
        },
        &directions);
  }
}

// Takes groups of rows until none are left.
void Forward::runThread(size_t index, ForkJoin* forkJoin) const {
  float* memory = threadMemories_ + index * threadFloats_;
  const ThreadMemory thread{memory, memory + betweenCount_ * betweenFloats_, forkJoin};
  size_t first = next_.load(std::memory_order_relaxed);
  while (first < call_.B && !isCancelled()) {
    const size_t count = nextGroupRows(call_.B - first);
    if (!next_.compare_exchange_weak(first, first + count, std::memory_order_relaxed))
      continue;
    const RowGroup group{call_.T, count, first, order_ ? order_ + first : nullptr, order_ ? call_.lengths : nullptr};
    followsThroughTime_ ? runThroughTime(group, thread) : runByLayers(group, thread);
    first = next_.load(std::memory_order_relaxed);
  }
}

// Rows by length, the longest first, dealt in turn to as many groups as there are threads, and so on: what runs at the
// same time ends at the same time.
void Forward::sortRows() const {
  const size_t B = call_.B;
  uint32_t* sorted = order_ + B;
  std::iota(sorted, sorted + B, 0u);
  std::sort(sorted, sorted + B, [&](uint32_t a, uint32_t b) {
    return call_.lengths[a] != call_.lengths[b] ? call_.lengths[a] > call_.lengths[b] : a < b;
  });
  for (size_t begin = 0, end = 0; begin < B; begin = end) {
    for (size_t group = 0; group < rowThreads_ && end < B; group++)
      end += nextGroupRows(B - end);
    size_t next = begin;
    for (size_t turn = 0; next < end; turn++)
      for (size_t first = begin, count; first < end; first += count) {
        count = nextGroupRows(B - first);
        if (turn < count)
          order_[first + turn] = sorted[next++];
      }
  }
}

// Zeros past each row's end.
void Forward::clearPastEnds() const {
  const Strided<float> y = output(L_ - 1, ThreadMemory{});
  for (size_t b = 0; b < call_.B; b++)
    for (size_t t = size_t(call_.lengths[b]); t < call_.T; t++)
      std::fill_n(y.at(t, b), D_ * O_, 0.0f);
}

// Rows of length 0 keep the state that they came with.
void Forward::startStates() const {
  const auto start = [](const float* from, float* to, size_t count) {
    if (from)
      std::memcpy(to, from, count * sizeof(float));
    else
      std::fill_n(to, count, 0.0f);
  };
  start(call_.h0, call_.hn, layers_.size() * call_.B * O_);
  if (call_.cn)
    start(call_.c0, call_.cn, layers_.size() * call_.B * spec_.hiddenSize);
}

bool Forward::run(float* memory) {
  if (unevenLengths_) {
    order_ = reinterpret_cast<uint32_t*>(memory);
    memory += aligned(2 * call_.B);
    sortRows();
  }
  threadMemories_ = memory;
  startStates();
  if (unevenLengths_ && call_.y)
    clearPastEnds();
  if (call_.T == 0 || call_.B == 0)
    return true;
  if (splitsUnits_ || splitsLayers_) {
    ForkJoin forkJoin(splitsLayers_ ? std::min(threads_, L_) : threads_);
    runThread(0, &forkJoin);
  } else {
    parallelFor(
        rowThreads_, rowThreads_,
        [](void* call, size_t index) { static_cast<const Forward*>(call)->runThread(index, nullptr); }, this);
  }
  return !isCancelled();
}

} // namespace native_rnn
