// How a call is cut: rows to threads and groups, time to what is kept between two layers.
#include "call.h"
#include <algorithm>
#include <cstring>
#include <new>
#include <numeric>

namespace native_rnn {
namespace {

// Rows of a group: enough for every tile, few enough for their states to stay in a cache.
constexpr size_t mostGroupRows = 128;
// Floats kept between two layers that follow each other through time, and between layers that cannot.
constexpr size_t cutFloats = 65536, wholeFloats = size_t(1) << 22;
// Multiplications of one step below which sharing it between threads costs more than it saves.
constexpr size_t worthSharing = 49152;

template <class Float>
Float* stateOf(Float* states, size_t index, size_t B, size_t width) {
  return states ? states + index * B * width : nullptr;
}

} // namespace

struct Call::Place {
  float *kept[2], *passes;
  Crew* crew;
};

Call::Call(const ForwardCall& call, const NetworkSpec& spec, const std::vector<Layer>& layers)
    : call_(call), spec_(spec), layers_(layers), D_(spec.directions()), L_(spec.numLayers), O_(spec.outputSize()),
      alongTime_(spec.direction == Direction::forward) {
  const size_t T = call.T, B = call.B;
  uneven_ =
      call.lengths && std::any_of(call.lengths, call.lengths + B, [&](int32_t length) { return size_t(length) != T; });
  shares_ = std::max<size_t>(1, std::min(call.threads, B));
  // Threads beyond the rows take a direction each, or share the units of a single row.
  splitsDirections_ = shares_ == 1 && call.threads > 1 && D_ == 2;
  sharesUnits_ = B == 1 && D_ == 1 && call.threads > 1 && spec.hiddenSize * (O_ + spec.inputSize) >= worthSharing / 3;
  groupRows_ = std::min((B + shares_ - 1) / shares_, mostGroupRows);
  const size_t width = D_ * O_;
  cut_ = T;
  if (L_ > 1 && alongTime_)
    cut_ = std::min(T, std::max<size_t>(1, cutFloats / std::max<size_t>(1, groupRows_ * width)));
  else if (L_ > 1)
    groupRows_ = std::min(groupRows_, std::max<size_t>(8, wholeFloats / std::max<size_t>(1, T * width)));
  passFloats_ = 0;
  for (const Layer& layer : layers)
    passFloats_ = std::max(passFloats_, Pass::floats(layer, groupRows_, T, uneven_));
  keptFloats_ = L_ > 1 ? aligned(cut_ * groupRows_ * width) : 0;
  const size_t passes = alongTime_ ? L_ : splitsDirections_ ? 2 : 1;
  placeFloats_ = 2 * keptFloats_ + passes * passFloats_ + aligned(L_ * sizeof(Pass) / sizeof(float));
}

size_t Call::floats() const {
  // The rows sorted, and dealt to the shares.
  return (uneven_ ? aligned(2 * call_.B) : 0) + shares_ * placeFloats_;
}

Strided<const float> Call::input(size_t layer, const Place& place) const {
  if (layer > 0) {
    const Strided<float> from = output(layer - 1, place);
    return {from.data, from.step, from.row};
  }
  const ptrdiff_t I = ptrdiff_t(spec_.inputSize), T = ptrdiff_t(call_.T), B = ptrdiff_t(call_.B);
  return call_.batchFirst ? Strided<const float>{call_.x, I, T * I} : Strided<const float>{call_.x, B * I, I};
}

// Between layers (cut, group, D·O), rows by position; after the last as the caller wants it.
Strided<float> Call::output(size_t layer, const Place& place) const {
  const ptrdiff_t width = ptrdiff_t(D_ * O_), T = ptrdiff_t(call_.T), B = ptrdiff_t(call_.B);
  if (layer + 1 < L_)
    return {place.kept[layer & 1], ptrdiff_t(groupRows_) * width, width};
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
  pass.crew = place.crew;
  pass.cancelled = call_.cancelled;
  pass.setState(stateOf(call_.h0, index, call_.B, O_), stateOf(call_.c0, index, call_.B, spec_.hiddenSize));
  return pass;
}

void Call::advance(Pass& pass, size_t l, size_t d, size_t begin, size_t end) const {
  const size_t index = l * D_ + d;
  pass.advance(begin, end, stateOf(call_.hn, index, call_.B, O_), stateOf(call_.cn, index, call_.B, spec_.hiddenSize));
}

// All layers follow each other through time, a cut at a time.
void Call::runAlongTime(const Rows& rows, const Place& place) const {
  // In memory that is there already: nothing may fail once the call has begun.
  Pass* passes = reinterpret_cast<Pass*>(place.passes + L_ * passFloats_);
  for (size_t l = 0; l < L_; l++)
    new (passes + l) Pass(pass(rows, l, 0, place, place.passes + l * passFloats_));
  for (size_t begin = 0; begin < call_.T && !isCancelled(); begin += cut_) {
    const size_t end = std::min(call_.T, begin + cut_);
    for (size_t l = 0; l < L_; l++) {
      // What is kept between layers begins at the cut.
      if (l > 0)
        passes[l].x.data = input(l, place).data - ptrdiff_t(begin) * passes[l].x.step;
      if (l + 1 < L_)
        passes[l].y.data = output(l, place).data - ptrdiff_t(begin) * passes[l].y.step;
      advance(passes[l], l, 0, begin, end);
    }
  }
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

// The rows of a share; with lengths, `order` says which they are.
Rows Call::share(size_t index) const {
  const size_t begin = call_.B * index / shares_, end = call_.B * (index + 1) / shares_;
  return {call_.T, end - begin, begin, order_ ? order_ + begin : nullptr, order_ ? call_.lengths : nullptr};
}

void Call::runShare(size_t index, Crew* crew) const {
  float* memory = places_ + index * placeFloats_;
  const Place place{{memory, memory + keptFloats_}, memory + 2 * keptFloats_, crew};
  const Rows rows = share(index);
  for (size_t done = 0; done < rows.B && !isCancelled(); done += groupRows_) {
    const Rows group{rows.T, std::min(groupRows_, rows.B - done), rows.first + done,
                     rows.order ? rows.order + done : nullptr, rows.lengths};
    alongTime_ ? runAlongTime(group, place) : runByLayers(group, place);
  }
}

// Rows by length, the longest first, dealt to the shares in turn while they have room.
void Call::sortRows() const {
  uint32_t* sorted = order_ + call_.B;
  std::iota(sorted, sorted + call_.B, 0u);
  std::sort(sorted, sorted + call_.B, [&](uint32_t a, uint32_t b) {
    return call_.lengths[a] != call_.lengths[b] ? call_.lengths[a] > call_.lengths[b] : a < b;
  });
  size_t next = 0;
  for (size_t turn = 0; next < call_.B; turn++)
    for (size_t i = 0; i < shares_; i++) {
      const Rows rows = share(i);
      if (turn < rows.B)
        order_[rows.first + turn] = sorted[next++];
    }
}

// Zeros past each row's end.
void Call::clearPastEnds() const {
  const Strided<float> y = output(L_ - 1, {});
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
  if (sharesUnits_) {
    Crew crew(call_.threads);
    runShare(0, &crew);
  } else {
    parallel(
        shares_, shares_, [](void* call, size_t index) { static_cast<const Call*>(call)->runShare(index, nullptr); },
        this);
  }
  return !isCancelled();
}

} // namespace native_rnn
