// Networks for tests of the C++ core: plain weights, a call's arrays, the same packed on a table, and results by bits.
#pragma once
#include "rnn/network.h"
#include "rnn/stream.h"
#include <cstdlib>
#include <cstring>
#include <vector>

namespace networks {

using namespace native_rnn;
using Floats = std::vector<float>;

struct PlainWeights {
  Floats weightIh, weightHh, biasIh, biasHh, weightHr, peephole;
  static float* orNull(Floats& v) { return v.empty() ? nullptr : v.data(); }
  MutableCellWeights view() {
    return {orNull(weightIh), orNull(weightHh), orNull(biasIh), orNull(biasHh), orNull(weightHr), orNull(peephole)};
  }
};

// Empty states: zeros; empty lengths: all are T.
struct Case {
  NetworkSpec spec{};
  size_t T = 0, B = 0;
  bool batchFirst = false;
  std::vector<PlainWeights> weights;
  Floats x, h0, c0;
  std::vector<int32_t> lengths;

  size_t length(size_t b) const { return lengths.empty() ? T : size_t(lengths[b]); }
  // Where row b's step t lies in x or in the output, counted in rows.
  size_t rowAt(size_t b, size_t t) const { return batchFirst ? b * T + t : t * B + b; }
  size_t cells() const { return spec.numLayers * spec.directions(); }
};

// Fills a case whose sizes are set; `numbers(count, scale)` gives values of about that size.
template <class Numbers>
void fill(Case& c, bool withStates, Numbers numbers) {
  const size_t H = c.spec.hiddenSize, O = c.spec.outputSize(), G = c.spec.traits().gates;
  for (size_t l = 0; l < c.spec.numLayers; l++)
    for (size_t d = 0; d < c.spec.directions(); d++) {
      PlainWeights w;
      w.weightIh = numbers(G * H * c.spec.layerInputs(l), 1.0);
      w.weightHh = numbers(G * H * O, 1.0);
      if (c.spec.bias)
        w.biasIh = numbers(G * H, 1.0), w.biasHh = numbers(G * H, 1.0);
      if (c.spec.projSize)
        w.weightHr = numbers(O * H, 1.0);
      if (c.spec.traits().hasPeepholes)
        w.peephole = numbers(3 * H, 1.0);
      c.weights.push_back(w);
    }
  c.x = numbers(c.T * c.B * c.spec.inputSize, 2.0);
  if (!withStates)
    return;
  c.h0 = numbers(c.cells() * c.B * O, 1.0);
  if (c.spec.traits().hasCellState)
    c.c0 = numbers(c.cells() * c.B * H, 1.0);
}

// Row b of a case by itself.
inline Case rowOf(const Case& c, size_t b) {
  const size_t I = c.spec.inputSize, H = c.spec.hiddenSize, O = c.spec.outputSize();
  Case row = c;
  row.B = 1;
  row.x.clear(), row.h0.clear(), row.c0.clear();
  if (!c.lengths.empty())
    row.lengths = {c.lengths[b]};
  const auto add = [](Floats& to, const Floats& from, size_t index, size_t width) {
    if (!from.empty())
      to.insert(to.end(), from.begin() + ptrdiff_t(index * width), from.begin() + ptrdiff_t((index + 1) * width));
  };
  for (size_t t = 0; t < c.T; t++)
    add(row.x, c.x, c.rowAt(b, t), I);
  for (size_t s = 0; s < c.cells(); s++)
    add(row.h0, c.h0, s * c.B + b, O), add(row.c0, c.c0, s * c.B + b, H);
  return row;
}

// Exactly as many bytes as asked for, so that a sanitizer sees the first one beyond.
class AlignedMemory {
public:
  explicit AlignedMemory(size_t bytes) {
    if (posix_memalign(&memory_, 64, bytes ? bytes : 1) != 0)
      std::abort();
  }
  AlignedMemory(const AlignedMemory&) = delete;
  AlignedMemory& operator=(const AlignedMemory&) = delete;
  ~AlignedMemory() { std::free(memory_); }
  void* get() const { return memory_; }

private:
  void* memory_ = nullptr;
};

struct PackedNetwork {
  AlignedMemory memory;
  Network network;
  PackedNetwork(const Case& c, const Kernels& kernels)
      : memory(Network::packedBytes(c.spec, kernels)), network(c.spec, kernels, memory.get()) {
    std::vector<CellWeights> views;
    std::vector<PlainWeights> plain = c.weights;
    for (PlainWeights& w : plain) {
      const MutableCellWeights v = w.view();
      views.push_back({v.weightIh, v.weightHh, v.biasIh, v.biasHh, v.weightHr, v.peephole});
    }
    network.pack(views.data());
  }
};

struct Outputs {
  Floats y, hn, cn;
};

inline Outputs forward(const Case& c, const Network& network, size_t threads) {
  const size_t width = c.spec.directions() * c.spec.outputSize();
  Outputs out;
  out.y.resize(c.T * c.B * width);
  out.hn.resize(c.cells() * c.B * c.spec.outputSize());
  if (c.spec.traits().hasCellState)
    out.cn.resize(c.cells() * c.B * c.spec.hiddenSize);
  const auto orNull = [](const Floats& v) { return v.empty() ? nullptr : v.data(); };
  ForwardCall call{};
  call.x = c.x.data(), call.T = c.T, call.B = c.B, call.batchFirst = c.batchFirst;
  call.h0 = orNull(c.h0), call.c0 = orNull(c.c0);
  call.lengths = c.lengths.empty() ? nullptr : c.lengths.data();
  call.y = out.y.data(), call.hn = out.hn.data();
  call.cn = out.cn.empty() ? nullptr : out.cn.data();
  call.threads = threads;
  Scratch scratch;
  if (!network.forward(call, scratch))
    std::abort();
  return out;
}

// A case of one row as a stream that takes `stepsOf(left)` steps at a time.
template <class Steps>
Outputs streamed(const Case& c, const Network& network, Steps stepsOf) {
  const size_t I = c.spec.inputSize, O = c.spec.outputSize(), T = c.length(0);
  Outputs out;
  out.y.resize(T * O);
  out.hn.resize(c.cells() * O);
  out.cn.resize(c.spec.traits().hasCellState ? c.cells() * c.spec.hiddenSize : 0);
  Stream stream(network, 1);
  stream.writeState(c.h0.empty() ? nullptr : c.h0.data(), c.c0.empty() ? nullptr : c.c0.data());
  for (size_t t = 0, steps; t < T; t += steps) {
    steps = stepsOf(T - t);
    if (steps == 1)
      stream.step(&c.x[t * I], &out.y[t * O]);
    else
      stream.run(&c.x[t * I], steps, &out.y[t * O]);
  }
  stream.readState(out.hn.data(), out.cn.empty() ? nullptr : out.cn.data());
  return out;
}

// The weights as they come back from packed memory; what no weight was written to holds 7.
inline std::vector<PlainWeights> unpacked(const Case& c, const Network& network) {
  std::vector<PlainWeights> copies = c.weights;
  std::vector<MutableCellWeights> views;
  for (PlainWeights& w : copies) {
    for (Floats* v : {&w.weightIh, &w.weightHh, &w.biasIh, &w.biasHh, &w.weightHr, &w.peephole})
      v->assign(v->size(), 7.0f);
    views.push_back(w.view());
  }
  network.unpack(views.data());
  return copies;
}

// Equal bits; any NaN equals any other.
inline bool same(const float* a, const float* b, size_t count) {
  if (count == 0 || std::memcmp(a, b, count * sizeof(float)) == 0)
    return true;
  for (size_t i = 0; i < count; i++)
    if (std::memcmp(a + i, b + i, sizeof(float)) != 0 && (a[i] == a[i] || b[i] == b[i]))
      return false;
  return true;
}
inline bool same(const Floats& a, const Floats& b) {
  return a.size() == b.size() && same(a.data(), b.data(), a.size());
}
inline bool same(const Outputs& a, const Outputs& b) { return same(a.y, b.y) && same(a.hn, b.hn) && same(a.cn, b.cn); }
inline bool same(const std::vector<PlainWeights>& a, const std::vector<PlainWeights>& b) {
  for (size_t i = 0; i < a.size(); i++)
    if (!same(a[i].weightIh, b[i].weightIh) || !same(a[i].weightHh, b[i].weightHh) || !same(a[i].biasIh, b[i].biasIh) ||
        !same(a[i].biasHh, b[i].biasHh) || !same(a[i].weightHr, b[i].weightHr) || !same(a[i].peephole, b[i].peephole))
      return false;
  return a.size() == b.size();
}

// Whether row b of a batch has the bits that `alone` has, which ran the row by itself.
inline bool rowIsSame(const Case& c, const Outputs& whole, size_t b, const Outputs& alone) {
  const size_t O = c.spec.outputSize(), H = c.spec.hiddenSize, width = c.spec.directions() * O;
  for (size_t t = 0; t < c.length(b); t++)
    if (!same(&whole.y[c.rowAt(b, t) * width], &alone.y[t * width], width))
      return false;
  for (size_t s = 0; s < c.cells(); s++)
    if (!same(&whole.hn[(s * c.B + b) * O], &alone.hn[s * O], O) ||
        (!whole.cn.empty() && !same(&whole.cn[(s * c.B + b) * H], &alone.cn[s * H], H)))
      return false;
  return true;
}

} // namespace networks
