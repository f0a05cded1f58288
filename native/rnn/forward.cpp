// Running a plan: what each thread does, and where layers read and write.
#include "forward.h"
#include "../platform/clock.h"
#include "../platform/memory.h"
#include "../spec/compiler.h"
#include "thread_cost.h"
#include <algorithm>
#include <cstring>
#include <new>
#include <numeric>

namespace native_rnn {
namespace {

template <class Float>
Float* stateOf(Float* states, size_t index, size_t B, size_t width) {
  return states ? states + index * B * width : nullptr;
}

} // namespace

Forward::Forward(const ForwardCall& call, const NetworkSpec& spec, const std::vector<PackedLayer>& layers)
    : call_(call), spec_(spec), layers_(layers), D_(spec.directions()), L_(spec.numLayers), O_(spec.outputSize()),
      plan_(planForward(call, spec, layers, threadsForCall(call, layers))) {
  if (plan_.split == Split::units) {
    plan_.threads = threadsForUnits(layers[0], plan_.threads);
    if (plan_.threads == 1)
      plan_.split = Split::rows;
  }
  if (plan_.split == Split::units || plan_.split == Split::layers)
    sharing_ = Sharing::steps;
  else if (plan_.rowThreads > 1 && !plan_.hasUnevenLengths)
    sharing_ = Sharing::rows;
  isDeclined_ = isOverdrawn(sharing_);
  if (isDeclined_)
    plan_ = planForward(call, spec, layers, 1);
}

Strided<const float> Forward::input(size_t layer, const ThreadMemory& thread, size_t block) const {
  if (layer > 0) {
    const Strided<float> from = output(layer - 1, thread, block);
    return {from.data, from.step, from.row};
  }
  const ptrdiff_t I = ptrdiff_t(spec_.inputSize), T = ptrdiff_t(call_.T), B = ptrdiff_t(call_.B);
  return call_.batchFirst ? Strided<const float>{call_.x, I, T * I} : Strided<const float>{call_.x, B * I, I};
}

// Between layers (time block, group, D·O), rows by position; after the last as the caller wants it.
Strided<float> Forward::output(size_t layer, const ThreadMemory& thread, size_t block) const {
  const ptrdiff_t width = ptrdiff_t(D_ * O_), T = ptrdiff_t(call_.T), B = ptrdiff_t(call_.B);
  if (layer + 1 < L_)
    return {thread.between + plan_.betweenIndex(layer, block) * plan_.betweenFloats, ptrdiff_t(plan_.rowGroup) * width,
            width};
  return call_.batchFirst ? Strided<float>{call_.y, width, T * width} : Strided<float>{call_.y, B * width, width};
}

// Layer l in direction d, at its start.
Recurrence Forward::recurrence(const RowGroup& rows, size_t l, size_t d, const ThreadMemory& thread,
                               float* memory) const {
  const bool reverse = d == 1 || spec_.direction == Direction::reverse;
  const size_t index = l * D_ + d;
  Recurrence recurrence(layers_[index], rows, reverse, memory);
  recurrence.setInput(input(l, thread), l > 0);
  recurrence.y = output(l, thread);
  if (recurrence.y.data)
    recurrence.y.data += d * O_;
  recurrence.yByPosition = l + 1 < L_;
  recurrence.forkJoin = plan_.split == Split::units ? thread.forkJoin : nullptr;
  recurrence.cancelled = call_.cancelled;
  recurrence.setState(stateOf(call_.h0, index, call_.B, O_), stateOf(call_.c0, index, call_.B, spec_.hiddenSize));
  return recurrence;
}

void Forward::advance(Recurrence& recurrence, size_t l, size_t d, size_t begin, size_t end) const {
  const size_t index = l * D_ + d;
  recurrence.advance(begin, end, stateOf(call_.hn, index, call_.B, O_),
                     stateOf(call_.cn, index, call_.B, spec_.hiddenSize));
}

// Takes layer l through one block of time. What lies between layers begins at the block.
void Forward::advanceTimeBlock(Recurrence* recurrences, size_t l, size_t block, const ThreadMemory& thread) const {
  const size_t begin = block * plan_.timeBlock, end = std::min(call_.T, begin + plan_.timeBlock);
  Recurrence& recurrence = recurrences[l];
  if (l > 0) {
    Strided<const float> x = input(l, thread, block);
    x.data -= ptrdiff_t(begin) * x.step;
    recurrence.setInput(x, true);
  }
  if (l + 1 < L_)
    recurrence.y.data = output(l, thread, block).data - ptrdiff_t(begin) * recurrence.y.step;
  advance(recurrence, l, 0, begin, end);
}

// All layers follow each other through time, a block at a time; where threads share the layers, each is one block
// behind the one below it, so that all are at work.
void Forward::runThroughTime(const RowGroup& rows, const ThreadMemory& thread) const {
  struct Wavefront {
    const Forward& call;
    Recurrence* recurrences; // in memory that is there already: nothing may fail once the call has begun
    const ThreadMemory& thread;
    size_t blocks, front;
  } wave{*this, reinterpret_cast<Recurrence*>(thread.recurrences + L_ * plan_.recurrenceFloats), thread,
         (call_.T + plan_.timeBlock - 1) / plan_.timeBlock, 0};
  for (size_t l = 0; l < L_; l++)
    new (wave.recurrences + l)
        Recurrence(recurrence(rows, l, 0, thread, thread.recurrences + l * plan_.recurrenceFloats));
  if (plan_.split != Split::layers) {
    for (size_t block = 0; block < wave.blocks && !isCancelled(); block++)
      for (size_t l = 0; l < L_; l++)
        advanceTimeBlock(wave.recurrences, l, block, thread);
    return;
  }
  for (; wave.front < wave.blocks + L_ - 1 && !isCancelled(); wave.front++)
    thread.forkJoin->run(
        [](void* argument, size_t index, size_t count, Barrier&) {
          const Wavefront& wave = *static_cast<Wavefront*>(argument);
          for (size_t l = index; l < wave.call.L_; l += count)
            if (l <= wave.front && wave.front - l < wave.blocks)
              wave.call.advanceTimeBlock(wave.recurrences, l, wave.front - l, wave.thread);
        },
        &wave, 0);
}

void Forward::runLayer(const RowGroup& rows, size_t l, size_t d, const ThreadMemory& thread) const {
  Recurrence one = recurrence(rows, l, d, thread,
                              thread.recurrences + (plan_.split == Split::directions ? d * plan_.recurrenceFloats : 0));
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
        D_, plan_.split == Split::directions ? 2 : 1,
        [](void* argument, size_t d) {
          const Directions& it = *static_cast<Directions*>(argument);
          it.call.runLayer(it.rows, it.l, d, it.thread);
        },
        &directions);
  }
}

Forward::ThreadMemory Forward::threadMemory(size_t index, ForkJoin* forkJoin) const {
  float* memory = threadMemories_ + index * plan_.threadFloats;
  return {memory, memory + plan_.betweenCount * plan_.betweenFloats, forkJoin};
}

// Takes groups of rows until none are left; how many rows those were.
size_t Forward::runThread(size_t index, ForkJoin* forkJoin) const {
  const ThreadMemory thread = threadMemory(index, forkJoin);
  size_t first = next_.load(std::memory_order_relaxed), rows = 0;
  while (first < call_.B && !isCancelled()) {
    const size_t count = plan_.nextGroupRows(call_.B - first);
    if (!next_.compare_exchange_weak(first, first + count, std::memory_order_relaxed))
      continue;
    const RowGroup group{call_.T, count, first, order_ ? order_ + first : nullptr, order_ ? call_.lengths : nullptr};
    plan_.followsThroughTime ? runThroughTime(group, thread) : runByLayers(group, thread);
    rows += count;
    first = next_.load(std::memory_order_relaxed);
  }
  return rows;
}

// The same, and notes how long a row takes a thread that is let run.
void Forward::runRows(size_t index) const {
  const double begin = nanoseconds();
  const size_t rows = runThread(index, nullptr);
  const double ns = rows ? (nanoseconds() - begin) / double(rows) : 0;
  double least = rowNs_.load(std::memory_order_relaxed);
  while (ns > 0 && (least == 0 || ns < least))
    if (rowNs_.compare_exchange_weak(least, ns, std::memory_order_relaxed))
      return;
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
    for (size_t group = 0; group < plan_.rowThreads && end < B; group++)
      end += plan_.nextGroupRows(B - end);
    size_t next = begin;
    for (size_t turn = 0; next < end; turn++)
      for (size_t first = begin, count; first < end; first += count) {
        count = plan_.nextGroupRows(B - first);
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
    if (from == to)
      return; // a state kept in place
    if (from)
      std::memcpy(to, from, count * sizeof(float));
    else
      std::fill_n(to, count, 0.0f);
  };
  start(call_.h0, call_.hn, layers_.size() * call_.B * O_);
  if (call_.cn)
    start(call_.c0, call_.cn, layers_.size() * call_.B * spec_.hiddenSize);
}

void Forward::start(float* memory) {
  RNN_ASSERT(isAligned(memory));
  if (plan_.hasUnevenLengths) {
    order_ = reinterpret_cast<uint32_t*>(memory);
    memory += plan_.orderFloats;
    sortRows();
  }
  threadMemories_ = memory;
  startStates();
  if (plan_.hasUnevenLengths && call_.y)
    clearPastEnds();
}

bool Forward::run(float* memory) {
  start(memory);
  if (call_.T == 0 || call_.B == 0)
    return true;
  const double begin = sharing_ == Sharing::none ? 0 : nanoseconds();
  if (isDeclined_) {
    runThread(0, nullptr);
    if (!isCancelled())
      pay(sharing_, nanoseconds() - begin);
  } else if (sharing_ == Sharing::steps) {
    ForkJoin forkJoin(plan_.split == Split::layers ? std::min(plan_.threads, L_) : plan_.threads, !sharesAlways());
    runThread(0, &forkJoin);
    forkJoin.end();
    if (!isCancelled())
      charge(sharing_, forkJoin.lostNs());
  } else if (sharing_ == Sharing::rows) {
    parallelFor(
        plan_.rowThreads, plan_.rowThreads,
        [](void* call, size_t index) { static_cast<const Forward*>(call)->runRows(index); }, this);
    if (!isCancelled())
      charge(sharing_, nanoseconds() - begin - rowNs_.load(std::memory_order_relaxed) * double(call_.B));
  } else {
    parallelFor(
        plan_.rowThreads, plan_.rowThreads,
        [](void* call, size_t index) { static_cast<const Forward*>(call)->runThread(index, nullptr); }, this);
  }
  return !isCancelled();
}

} // namespace native_rnn
