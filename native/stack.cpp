// Layers × directions over a whole call: rows split over threads, time cut so that scratch stays bounded.
#include "stack.h"
#include "layer.h"
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <numeric>

namespace native_rnn {
namespace {

// Floats of one layer's output that are kept for the next while time is cut.
constexpr size_t cutFloats = 32768;
// Multiplications of one step below which sharing it costs more than it saves.
constexpr size_t worthSharing = 49152;

float* allocate(size_t floats) {
  // Room for the alignment and for what free() needs back.
  void* raw = std::malloc(floats * sizeof(float) + 64 + sizeof(void*));
  if (!raw)
    throw std::bad_alloc();
  const uintptr_t at = (reinterpret_cast<uintptr_t>(raw) + sizeof(void*) + 63) & ~uintptr_t(63);
  reinterpret_cast<void**>(at)[-1] = raw;
  return reinterpret_cast<float*>(at);
}

void release(float* memory) {
  if (memory)
    std::free(reinterpret_cast<void**>(memory)[-1]);
}

} // namespace

Scratch::~Scratch() { release(data_); }

float* Scratch::floats(size_t count) {
  if (count > capacity_) {
    float* larger = allocate(count);
    release(data_);
    data_ = larger;
    capacity_ = count;
  }
  return data_;
}

size_t Stack::packedFloats(const NetworkSpec& spec, const Kernels& kernels) {
  const size_t D = spec.directions();
  size_t offset = 0;
  for (size_t l = 0; l < spec.numLayers; l++)
    for (size_t d = 0; d < D; d++)
      Layer(spec, l ? D * spec.outputSize() : spec.inputSize, kernels, nullptr, offset);
  return offset;
}

Stack::Stack(const NetworkSpec& spec, const Kernels& kernels, float* memory) : spec_(spec), kernels_(kernels) {
  const size_t D = spec.directions();
  size_t offset = 0;
  layers_.reserve(spec.numLayers * D);
  for (size_t l = 0; l < spec.numLayers; l++)
    for (size_t d = 0; d < D; d++)
      layers_.emplace_back(spec, l ? D * spec.outputSize() : spec.inputSize, kernels, memory, offset);
}

Stack::~Stack() = default;

void Stack::pack(const CellWeights* weights) {
  for (size_t i = 0; i < layers_.size(); i++)
    layers_[i].pack(weights[i]);
}

void Stack::unpack(const MutableCellWeights* weights) const {
  for (size_t i = 0; i < layers_.size(); i++)
    layers_[i].unpack(weights[i]);
}

namespace {

// One call: what every part of it needs to know.
struct Call : ForwardCall {
  const std::vector<Layer>& layers;
  const NetworkSpec& spec;
  size_t D, L, O;
  bool alongTime;    // all layers can follow each other through time: one direction, forward
  size_t cut;        // time steps kept between two layers
  uint32_t* order;   // rows by length, or null where all are T long
  float* between[2]; // outputs of the layers before: (cut, B, D·O)
  float* memory;     // of the passes
  size_t passFloats; // of one pass over the most rows of a part, any layer
  size_t parts;

  Strided<const float> input(size_t layer) const {
    if (layer == 0) {
      const ptrdiff_t I = ptrdiff_t(spec.inputSize);
      return batchFirst ? Strided<const float>{x, I, ptrdiff_t(T) * I} : Strided<const float>{x, ptrdiff_t(B) * I, I};
    }
    const Strided<float> from = kept(layer - 1);
    return {from.data, from.step, from.row};
  }
  Strided<float> output(size_t layer) const {
    if (layer + 1 < L)
      return kept(layer);
    const ptrdiff_t width = ptrdiff_t(D * O);
    return batchFirst ? Strided<float>{y, width, ptrdiff_t(T) * width} : Strided<float>{y, ptrdiff_t(B) * width, width};
  }
  Strided<float> kept(size_t layer) const {
    const ptrdiff_t width = ptrdiff_t(D * O);
    return {between[layer & 1], ptrdiff_t(B) * width, width};
  }
  Rows rows(size_t part) const {
    const size_t begin = B * part / parts, end = B * (part + 1) / parts;
    return {T, end - begin, begin, nullptr, nullptr};
  }
  bool isCancelled() const { return cancelled && cancelled->load(std::memory_order_relaxed); }
};

template <class Float>
Float* stateOf(Float* states, size_t index, size_t B, size_t width) {
  return states ? states + index * B * width : nullptr;
}

// Sets a pass up for layer l, direction d of the call.
Pass passOf(const Call& call, const Rows& rows, size_t l, size_t d, float* memory) {
  const bool reverse = d == 1 || call.spec.direction == Direction::reverse;
  const size_t index = l * call.D + d;
  Pass pass(call.layers[index], rows, reverse, memory);
  pass.x = call.input(l);
  pass.y = call.output(l);
  if (pass.y.data)
    pass.y.data += d * call.O;
  pass.cancelled = call.cancelled;
  pass.setState(stateOf(call.h0, index, call.B, call.O), stateOf(call.c0, index, call.B, call.spec.hiddenSize));
  return pass;
}

void advance(const Call& call, Pass& pass, size_t l, size_t d, size_t begin, size_t end) {
  const size_t index = l * call.D + d;
  pass.advance(begin, end, stateOf(call.hn, index, call.B, call.O),
               stateOf(call.cn, index, call.B, call.spec.hiddenSize));
}

// All layers follow each other through time, a cut at a time.
void runAlongTime(const Call& call, const Rows& rows, float* memory, Crew* crew) {
  // In memory that is there already: nothing may fail once the call has begun.
  Pass* passes = reinterpret_cast<Pass*>(memory + call.L * call.passFloats);
  for (size_t l = 0; l < call.L; l++) {
    new (passes + l) Pass(passOf(call, rows, l, 0, memory + l * call.passFloats));
    passes[l].crew = crew;
  }
  for (size_t begin = 0; begin < call.T && !call.isCancelled(); begin += call.cut) {
    const size_t end = std::min(call.T, begin + call.cut);
    for (size_t l = 0; l < call.L; l++) {
      // What is kept between layers begins at the cut.
      if (l > 0)
        passes[l].x.data = call.input(l).data - ptrdiff_t(begin) * passes[l].x.step;
      if (l + 1 < call.L)
        passes[l].y.data = call.output(l).data - ptrdiff_t(begin) * passes[l].y.step;
      advance(call, passes[l], l, 0, begin, end);
    }
  }
}

// A layer goes through all of time before the next one begins.
void runLayer(const Call& call, const Rows& rows, size_t l, size_t d, float* memory, Crew* crew) {
  Pass pass = passOf(call, rows, l, d, memory);
  pass.crew = crew;
  advance(call, pass, l, d, 0, call.T);
}

void runPart(const Call& call, const Rows& rows, float* memory, Crew* crew) {
  if (call.alongTime)
    return runAlongTime(call, rows, memory, crew);
  for (size_t l = 0; l < call.L && !call.isCancelled(); l++)
    for (size_t d = 0; d < call.D; d++)
      runLayer(call, rows, l, d, memory, crew);
}

// The rows of a part. With lengths the parts take rows in turn, so that each has long and short ones.
Rows rowsOf(const Call& call, size_t part) {
  Rows rows = call.rows(part);
  if (call.order)
    rows.order = call.order + rows.first, rows.lengths = call.lengths;
  return rows;
}

// Rows by length, the longest first, dealt to the parts in turn while they have room.
void sortRows(const Call& call) {
  uint32_t* sorted = call.order + call.B;
  std::iota(sorted, sorted + call.B, 0u);
  std::sort(sorted, sorted + call.B, [&](uint32_t a, uint32_t b) {
    return call.lengths[a] != call.lengths[b] ? call.lengths[a] > call.lengths[b] : a < b;
  });
  size_t next = 0;
  for (size_t turn = 0; next < call.B; turn++)
    for (size_t part = 0; part < call.parts; part++) {
      const Rows rows = call.rows(part);
      if (turn < rows.B)
        call.order[rows.first + turn] = sorted[next++];
    }
}

// Zeros past each row's end.
void clearPastEnds(const Call& call) {
  const Strided<float> y = call.output(call.L - 1);
  for (size_t b = 0; b < call.B; b++)
    for (size_t t = size_t(call.lengths[b]); t < call.T; t++)
      std::fill_n(y.at(t, b), call.D * call.O, 0.0f);
}

// Rows of length 0 keep the state that they came with.
void startStates(const Call& call) {
  const size_t hFloats = call.layers.size() * call.B * call.O;
  const size_t cFloats = call.layers.size() * call.B * call.spec.hiddenSize;
  const auto start = [](const float* from, float* to, size_t count) {
    if (from)
      std::memcpy(to, from, count * sizeof(float));
    else
      std::fill_n(to, count, 0.0f);
  };
  start(call.h0, call.hn, hFloats);
  if (call.cn)
    start(call.c0, call.cn, cFloats);
}

} // namespace

bool Stack::forward(const ForwardCall& given, Scratch& scratch) const {
  const size_t D = spec_.directions(), L = spec_.numLayers, O = spec_.outputSize();
  Call call{given, layers_, spec_, D, L, O, spec_.direction == Direction::forward, given.T, nullptr, {}, nullptr, 0, 1};
  const size_t T = call.T, B = call.B;
  const bool uneven =
      call.lengths && std::any_of(call.lengths, call.lengths + B, [&](int32_t length) { return size_t(length) != T; });
  if (call.alongTime && L > 1)
    call.cut = std::min(T, std::max<size_t>(64, cutFloats / std::max<size_t>(1, B * O)));
  call.parts = std::max<size_t>(1, std::min(call.threads, B));
  // Threads beyond the rows take a direction each, or share the units of a single row.
  const bool splitsDirections = call.parts == 1 && call.threads > 1 && D == 2;
  const size_t stepWork = spec_.hiddenSize * (O + spec_.inputSize) * 3;
  const bool sharesUnits = B == 1 && D == 1 && call.threads > 1 && stepWork >= worthSharing;
  // Parts have this many rows or one more; a pass over fewer rows may need more memory, for it takes longer chunks.
  const size_t rows = B / call.parts;
  for (const Layer& layer : layers_)
    call.passFloats = std::max({call.passFloats, Pass::floats(layer, rows, T), Pass::floats(layer, rows + 1, T)});
  const size_t passes = call.alongTime ? L : splitsDirections ? 2 : 1;
  const size_t partFloats = passes * call.passFloats + (call.alongTime ? aligned(L * sizeof(Pass) / sizeof(float)) : 0);
  const size_t keptFloats = L > 1 ? aligned(call.cut * B * D * O) : 0;
  const size_t orderFloats = uneven ? aligned(2 * B) : 0; // the rows sorted, and dealt to the parts
  float* memory = scratch.floats(orderFloats + 2 * keptFloats + call.parts * partFloats);
  call.order = uneven ? reinterpret_cast<uint32_t*>(memory) : nullptr;
  call.between[0] = memory + orderFloats;
  call.between[1] = call.between[0] + keptFloats;
  call.memory = call.between[1] + keptFloats;

  if (uneven)
    sortRows(call);
  startStates(call);
  if (uneven && call.y)
    clearPastEnds(call);
  if (T == 0 || B == 0)
    return true;

  if (splitsDirections) {
    for (size_t l = 0; l < L && !call.isCancelled(); l++) {
      struct Both {
        const Call& call;
        size_t l;
      } both{call, l};
      parallel(
          2, 2,
          [](void* argument, size_t d) {
            const Both& both = *static_cast<Both*>(argument);
            runLayer(both.call, rowsOf(both.call, 0), both.l, d, both.call.memory + d * both.call.passFloats, nullptr);
          },
          &both);
    }
  } else if (sharesUnits) {
    Crew crew(call.threads);
    runPart(call, rowsOf(call, 0), call.memory, &crew);
  } else {
    struct Parts {
      const Call& call;
      size_t stride;
    } parts{call, partFloats};
    parallel(
        call.parts, call.threads,
        [](void* argument, size_t part) {
          const Parts& parts = *static_cast<Parts*>(argument);
          runPart(parts.call, rowsOf(parts.call, part), parts.call.memory + part * parts.stride, nullptr);
        },
        &parts);
  }
  return !call.isCancelled();
}

} // namespace native_rnn
