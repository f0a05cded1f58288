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
constexpr size_t mostGroupRows = 128;
// The fewest rows that a thread takes at a time, by whether half a second-level cache holds the weights: each group
// reads them all again.
constexpr size_t fewRows = 8, fewRowsOfLarge = 32, largeFloats = size_t(1) << 16;
// Floats kept between two layers that follow each other through time, and between layers that cannot.
constexpr size_t cutFloats = 65536, wholeFloats = size_t(1) << 22;
// Multiplications of one gate in a cut of a layer that a thread takes at a time.
constexpr size_t worthTaking = 262144;

template <class Float>
Float* stateOf(Float* states, size_t index, size_t B, size_t width) {
  return states ? states + index * B * width : nullptr;
}

} // namespace

struct Call::Place {
  float *kept, *passes;
  Crew* crew;
};

Call::Call(const ForwardCall& call, const NetworkSpec& spec, const std::vector<Layer>& layers)
    : call_(call), spec_(spec), layers_(layers), D_(spec.directions()), L_(spec.numLayers), O_(spec.outputSize()),
      alongTime_(spec.direction == Direction::forward) {
  const size_t T = call.T, B = call.B;
  uneven_ =
      call.lengths && std::any_of(call.lengths, call.lengths + B, [&](int32_t length) { return size_t(length) != T; });
  threads_ = threadsOf(call, layers);
  shares_ = std::max<size_t>(1, std::min(threads_, B));
  const bool idle = shares_ == 1 && threads_ > 1;
  const size_t work = B * spec.hiddenSize * (O_ + (L_ > 1 ? O_ : spec.inputSize));
  splitsDirections_ = idle && D_ == 2;
  splitsLayers_ = idle && alongTime_ && L_ > 1 && T * work >= 8 * worthTaking;
  const bool mayShareUnits = idle && D_ == 1 && !splitsLayers_ && B == 1;
  if (mayShareUnits)
    threads_ = threadsOfUnits(layers[0], threads_);
  sharesUnits_ = mayShareUnits && threads_ > 1;
  size_t weights = 0;
  for (const Layer& layer : layers)
    weights = std::max(weights, layer.weights());
  leastRows_ = std::min(weights > largeFloats ? fewRowsOfLarge : fewRows, (B + shares_ - 1) / shares_);
  groupRows_ = std::min(B, mostGroupRows);
  groupRows_ = rowsToTake(B);
  const size_t width = D_ * O_;
  cut_ = T;
  if (splitsLayers_)
    cut_ = std::min(T / 8 + 1, std::max<size_t>(1, worthTaking / work));
  else if (L_ > 1 && alongTime_)
    cut_ = std::min(T, std::max<size_t>(1, cutFloats / std::max<size_t>(1, groupRows_ * width)));
  else if (L_ > 1)
    groupRows_ = std::min(groupRows_, std::max<size_t>(8, wholeFloats / std::max<size_t>(1, T * width)));
  passFloats_ = 0;
  for (const Layer& layer : layers)
    passFloats_ = std::max(passFloats_, Pass::floats(layer, groupRows_, T, uneven_));
  keptFloats_ = L_ > 1 ? aligned(cut_ * groupRows_ * width) : 0;
  // Layers at work at the same time write one cut while the next layer reads the one before.
  keptCount_ = splitsLayers_ ? 2 * (L_ - 1) : 2;
  const size_t passes = alongTime_ ? L_ : splitsDirections_ ? 2 : 1;
  placeFloats_ = keptCount_ * keptFloats_ + passes * passFloats_ + aligned(L_ * sizeof(Pass) / sizeof(float));
}

size_t Call::floats() const {
  // The rows sorted, and dealt to the groups.
  return (uneven_ ? aligned(2 * call_.B) : 0) + shares_ * placeFloats_;
}

// How many of the rows that are left a thread takes: fewer and fewer, so that threads that came late or are slow end
// with the others.
size_t Call::rowsToTake(size_t left) const {
  if (shares_ == 1)
    return std::min(left, groupRows_);
  return std::min({left, groupRows_, std::max(leastRows_, roundUp((left + 2 * shares_ - 1) / (2 * shares_), 4))});
}

Strided<const float> Call::input(size_t layer, const Place& place, size_t cut) const {
  if (layer > 0) {
    const Strided<float> from = output(layer - 1, place, cut);
    return {from.data, from.step, from.row};
  }
  const ptrdiff_t I = ptrdiff_t(spec_.inputSize), T = ptrdiff_t(call_.T), B = ptrdiff_t(call_.B);
  return call_.batchFirst ? Strided<const float>{call_.x, I, T * I} : Strided<const float>{call_.x, B * I, I};
}

// Between layers (cut, group, D·O), rows by position; after the last as the caller wants it.
Strided<float> Call::output(size_t layer, const Place& place, size_t cut) const {
  const ptrdiff_t width = ptrdiff_t(D_ * O_), T = ptrdiff_t(call_.T), B = ptrdiff_t(call_.B);
  if (layer + 1 < L_)
    return {place.kept + (splitsLayers_ ? 2 * layer + cut % 2 : layer % 2) * keptFloats_, ptrdiff_t(groupRows_) * width,
            width};
  return call_.batchFirst ? Strided<float>{call_.y, width, T * width} : Strided<float>{call_.y, B * width, width};
}

// Sets a pass of layer l, direction d up.
Pass Call::pass(const Rows& rows, size_t l, size_t d, const Place& place, float* memory) const {
  const bool reverse = d == 1 || spec_.direction == Direction::reverse;
  const size_t index = l * D_ + d;
  Pass pass(layers_[index], rows, reverse, memory);
  pass.x = input(l, place);
  pass.y = output(l, place);
  if (pass.y.data)
    pass.y.data += d * O_;
  pass.xByPosition = l > 0;
  pass.yByPosition = l + 1 < L_;
  pass.crew = sharesUnits_ ? place.crew : nullptr;
  pass.cancelled = call_.cancelled;
  pass.setState(stateOf(call_.h0, index, call_.B, O_), stateOf(call_.c0, index, call_.B, spec_.hiddenSize));
  return pass;
}

void Call::advance(Pass& pass, size_t l, size_t d, size_t begin, size_t end) const {
  const size_t index = l * D_ + d;
  pass.advance(begin, end, stateOf(call_.hn, index, call_.B, O_), stateOf(call_.cn, index, call_.B, spec_.hiddenSize));
}

// Takes layer l through one cut of time.
void Call::advanceCut(Pass* passes, size_t l, size_t cut, const Place& place) const {
  const size_t begin = cut * cut_, end = std::min(call_.T, begin + cut_);
  // What is kept between layers begins at the cut.
  if (l > 0)
    passes[l].x.data = input(l, place, cut).data - ptrdiff_t(begin) * passes[l].x.step;
  if (l + 1 < L_)
    passes[l].y.data = output(l, place, cut).data - ptrdiff_t(begin) * passes[l].y.step;
  advance(passes[l], l, 0, begin, end);
}

// All layers follow each other through time, a cut at a time; with threads to spare each layer one cut behind the one
// below it, so that all are at work.
void Call::runAlongTime(const Rows& rows, const Place& place) const {
  struct Wave {
    const Call& call;
    Pass* passes; // in memory that is there already: nothing may fail once the call has begun
    const Place& place;
    size_t cuts, front;
  } wave{*this, reinterpret_cast<Pass*>(place.passes + L_ * passFloats_), place, (call_.T + cut_ - 1) / cut_, 0};
  for (size_t l = 0; l < L_; l++)
    new (wave.passes + l) Pass(pass(rows, l, 0, place, place.passes + l * passFloats_));
  if (!splitsLayers_) {
    for (size_t cut = 0; cut < wave.cuts && !isCancelled(); cut++)
      for (size_t l = 0; l < L_; l++)
        advanceCut(wave.passes, l, cut, place);
    return;
  }
  for (; wave.front < wave.cuts + L_ - 1 && !isCancelled(); wave.front++)
    place.crew->all(
        [](void* argument, size_t share, size_t shares, Barrier&) {
          const Wave& wave = *static_cast<Wave*>(argument);
          for (size_t l = share; l < wave.call.L_; l += shares)
            if (l <= wave.front && wave.front - l < wave.cuts)
              wave.call.advanceCut(wave.passes, l, wave.front - l, wave.place);
        },
        &wave, 0);
}

void Call::runLayer(const Rows& rows, size_t l, size_t d, const Place& place) const {
  Pass one = pass(rows, l, d, place, place.passes + (splitsDirections_ ? d * passFloats_ : 0));
  advance(one, l, d, 0, call_.T);
}

// A layer goes through all of time before the next one begins.
void Call::runByLayers(const Rows& rows, const Place& place) const {
  struct Directions {
    const Call& call;
    const Rows& rows;
    size_t l;
    const Place& place;
  };
  for (size_t l = 0; l < L_ && !isCancelled(); l++) {
    Directions directions{*this, rows, l, place};
    parallel(
        D_, splitsDirections_ ? 2 : 1,
        [](void* argument, size_t d) {
          const Directions& it = *static_cast<Directions*>(argument);
          it.call.runLayer(it.rows, it.l, d, it.place);
        },
        &directions);
  }
}

// Takes groups of rows until none are left.
void Call::runShare(size_t index, Crew* crew) const {
  float* memory = places_ + index * placeFloats_;
  const Place place{memory, memory + keptCount_ * keptFloats_, crew};
  size_t first = next_.load(std::memory_order_relaxed);
  while (first < call_.B && !isCancelled()) {
    const size_t count = rowsToTake(call_.B - first);
    if (!next_.compare_exchange_weak(first, first + count, std::memory_order_relaxed))
      continue;
    const Rows group{call_.T, count, first, order_ ? order_ + first : nullptr, order_ ? call_.lengths : nullptr};
    alongTime_ ? runAlongTime(group, place) : runByLayers(group, place);
    first = next_.load(std::memory_order_relaxed);
  }
}

// Rows by length, the longest first, dealt in turn to as many groups as there are threads, and so on: what runs at the
// same time ends at the same time.
void Call::sortRows() const {
  const size_t B = call_.B;
  uint32_t* sorted = order_ + B;
  std::iota(sorted, sorted + B, 0u);
  std::sort(sorted, sorted + B, [&](uint32_t a, uint32_t b) {
    return call_.lengths[a] != call_.lengths[b] ? call_.lengths[a] > call_.lengths[b] : a < b;
  });
  for (size_t begin = 0, end = 0; begin < B; begin = end) {
    for (size_t group = 0; group < shares_ && end < B; group++)
      end += rowsToTake(B - end);
    size_t next = begin;
    for (size_t turn = 0; next < end; turn++)
      for (size_t first = begin, count; first < end; first += count) {
        count = rowsToTake(B - first);
        if (turn < count)
          order_[first + turn] = sorted[next++];
      }
  }
}

// Zeros past each row's end.
void Call::clearPastEnds() const {
  const Strided<float> y = output(L_ - 1, Place{});
  for (size_t b = 0; b < call_.B; b++)
    for (size_t t = size_t(call_.lengths[b]); t < call_.T; t++)
      std::fill_n(y.at(t, b), D_ * O_, 0.0f);
}

// Rows of length 0 keep the state that they came with.
void Call::startStates() const {
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

bool Call::run(float* memory) {
  if (uneven_) {
    order_ = reinterpret_cast<uint32_t*>(memory);
    memory += aligned(2 * call_.B);
    sortRows();
  }
  places_ = memory;
  startStates();
  if (uneven_ && call_.y)
    clearPastEnds();
  if (call_.T == 0 || call_.B == 0)
    return true;
  if (sharesUnits_ || splitsLayers_) {
    Crew crew(splitsLayers_ ? std::min(threads_, L_) : threads_);
    runShare(0, &crew);
  } else {
    parallel(
        shares_, shares_, [](void* call, size_t index) { static_cast<const Call*>(call)->runShare(index, nullptr); },
        this);
  }
  return !isCancelled();
}

} // namespace native_rnn
