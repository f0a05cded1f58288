// libFuzzer on the C++ core without Node: any sizes, weights, lengths and cuts, on every table that this CPU runs.
// Beside what the sanitizers see it holds the promise of bits: a row alone, a stream and the other tables agree.
#include "kernels/dispatch.h"
#include "rnn/network.h"
#include "rnn/stream.h"
#include "rnn/thread_cost.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace native_rnn;

namespace {

class Bytes {
public:
  Bytes(const uint8_t* data, size_t size) : data_(data), end_(data + size) {
    for (size_t i = 0; i < size; i++)
      seed_ = (seed_ ^ data[i]) * 16777619u;
  }
  size_t below(size_t limit) { return next() % limit; }
  uint8_t next() { return data_ < end_ ? *data_++ : uint8_t((seed_ = seed_ * 1103515245u + 12345u) >> 16); }
  // Mostly tame numbers, now and then raw bits: NaN, infinities and subnormals come with them.
  float number() {
    uint8_t first = next();
    if (first != 255)
      return (float(first) - 127.0f) / 128.0f;
    uint32_t bits = uint32_t(next()) << 24 | uint32_t(next()) << 16 | uint32_t(next()) << 8 | next();
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  std::vector<float> numbers(size_t count) {
    std::vector<float> values(count);
    for (float& value : values)
      value = number();
    return values;
  }

private:
  const uint8_t* data_;
  const uint8_t* end_;
  uint32_t seed_ = 2166136261u; // goes on where the bytes end
};

// Exactly as many floats as asked for, so that the sanitizer sees the first one beyond.
struct Aligned {
  explicit Aligned(size_t floats) {
    void* block = nullptr;
    if (posix_memalign(&block, 64, floats * sizeof(float)) != 0)
      std::abort();
    memory = static_cast<float*>(block);
  }
  ~Aligned() { std::free(memory); }
  float* memory;
};

struct Plain {
  std::vector<float> weightIh, weightHh, biasIh, biasHh, weightHr, peephole;
};

struct Case {
  NetworkSpec spec;
  std::vector<Plain> weights;
  size_t T, B;
  bool batchFirst, withStates, withLengths;
  std::vector<float> x, h0, c0;
  std::vector<int32_t> lengths;
};

struct Result {
  std::vector<float> y, hn, cn;
};

bool isLstm(CellKind cell) { return cell == CellKind::lstm || cell == CellKind::lstmPeephole; }
size_t gates(CellKind cell) {
  return isLstm(cell) ? 4 : cell == CellKind::gru || cell == CellKind::gruResetBefore ? 3 : 1;
}

Case readCase(Bytes& bytes) {
  Case c;
  c.spec.cell = CellKind(bytes.below(cellKinds));
  c.spec.direction = Direction(bytes.below(3));
  // Mostly small, which is fifty times as many inputs a second.
  const size_t most = bytes.below(16) ? 18 : 70;
  c.spec.inputSize = 1 + bytes.below(most);
  c.spec.hiddenSize = 1 + bytes.below(most);
  c.spec.projSize = isLstm(c.spec.cell) ? bytes.below(c.spec.hiddenSize) : 0;
  c.spec.numLayers = 1 + bytes.below(3);
  c.spec.bias = bytes.below(2);
  // Sums of later steps are made ahead in long sequences of large layers only.
  c.T = bytes.below(most > 18 && bytes.below(4) == 0 ? 50 : 9);
  c.B = 1 + bytes.below(8);
  c.batchFirst = bytes.below(2);
  c.withStates = bytes.below(2);
  c.withLengths = bytes.below(2);
  size_t H = c.spec.hiddenSize, O = c.spec.outputSize(), D = c.spec.directions(), L = c.spec.numLayers;
  size_t G = gates(c.spec.cell);
  for (size_t l = 0; l < L; l++) {
    for (size_t d = 0; d < D; d++) {
      Plain p;
      p.weightIh = bytes.numbers(G * H * (l == 0 ? c.spec.inputSize : D * O));
      p.weightHh = bytes.numbers(G * H * O);
      if (c.spec.bias)
        p.biasIh = bytes.numbers(G * H), p.biasHh = bytes.numbers(G * H);
      if (c.spec.projSize)
        p.weightHr = bytes.numbers(O * H);
      if (c.spec.cell == CellKind::lstmPeephole)
        p.peephole = bytes.numbers(3 * H);
      c.weights.push_back(p);
    }
  }
  c.x = bytes.numbers(c.T * c.B * c.spec.inputSize);
  c.h0 = bytes.numbers(D * L * c.B * O);
  c.c0 = bytes.numbers(D * L * c.B * H);
  for (size_t b = 0; b < c.B; b++)
    c.lengths.push_back(int32_t(bytes.below(c.T + 1)));
  return c;
}

Result forward(const Network& network, const Case& c, size_t threads) {
  size_t H = c.spec.hiddenSize, O = c.spec.outputSize(), D = c.spec.directions(), L = c.spec.numLayers;
  Result r{std::vector<float>(c.T * c.B * D * O), std::vector<float>(D * L * c.B * O),
           std::vector<float>(D * L * c.B * H)};
  bool lstm = isLstm(c.spec.cell);
  ForwardCall call{};
  call.x = c.x.data(), call.T = c.T, call.B = c.B, call.batchFirst = c.batchFirst;
  call.h0 = c.withStates ? c.h0.data() : nullptr;
  call.c0 = c.withStates && lstm ? c.c0.data() : nullptr;
  call.lengths = c.withLengths ? c.lengths.data() : nullptr;
  call.y = r.y.data(), call.hn = r.hn.data(), call.cn = lstm ? r.cn.data() : nullptr;
  call.threads = threads;
  Scratch scratch;
  if (!network.forward(call, scratch))
    std::abort();
  return r;
}

// Row b of the case by itself.
Case rowOf(const Case& c, size_t b) {
  Case row = c;
  size_t I = c.spec.inputSize, H = c.spec.hiddenSize, O = c.spec.outputSize(),
         DL = c.spec.directions() * c.spec.numLayers;
  row.B = 1, row.lengths = {c.lengths[b]};
  row.x.clear(), row.h0.clear(), row.c0.clear();
  for (size_t t = 0; t < c.T; t++) {
    const float* x = c.x.data() + (c.batchFirst ? b * c.T + t : t * c.B + b) * I;
    row.x.insert(row.x.end(), x, x + I);
  }
  for (size_t s = 0; s < DL; s++) {
    const float* h = c.h0.data() + (s * c.B + b) * O;
    const float* cell = c.c0.data() + (s * c.B + b) * H;
    row.h0.insert(row.h0.end(), h, h + O);
    row.c0.insert(row.c0.end(), cell, cell + H);
  }
  return row;
}

void require(bool holds, const char* what, const Kernels& kernels) {
  if (holds)
    return;
  std::fprintf(stderr, "%s: %s\n", kernels.name, what);
  std::abort();
}

// Equal bits; any NaN equals any other.
bool same(const float* a, const float* b, size_t count) {
  if (count == 0 || std::memcmp(a, b, count * sizeof(float)) == 0)
    return true;
  for (size_t i = 0; i < count; i++)
    if (std::memcmp(a + i, b + i, sizeof(float)) != 0 && (a[i] == a[i] || b[i] == b[i]))
      return false;
  return true;
}
bool same(const Result& a, const Result& b) {
  return same(a.y.data(), b.y.data(), a.y.size()) && same(a.hn.data(), b.hn.data(), a.hn.size()) &&
         same(a.cn.data(), b.cn.data(), a.cn.size());
}

void checkUnpack(const Network& network, const Case& c) {
  std::vector<Plain> copies = c.weights;
  std::vector<MutableCellWeights> views;
  auto view = [](std::vector<float>& v) { return v.empty() ? nullptr : v.data(); };
  for (Plain& p : copies) {
    for (auto* v : {&p.weightIh, &p.weightHh, &p.weightHr, &p.peephole})
      v->assign(v->size(), -1.0f);
    views.push_back(
        {view(p.weightIh), view(p.weightHh), view(p.biasIh), view(p.biasHh), view(p.weightHr), view(p.peephole)});
  }
  network.unpack(views.data());
  for (size_t i = 0; i < copies.size(); i++) {
    const Plain &a = c.weights[i], &b = copies[i];
    require(same(a.weightIh.data(), b.weightIh.data(), a.weightIh.size()), "weight_ih comes back", network.kernels());
    require(same(a.weightHh.data(), b.weightHh.data(), a.weightHh.size()), "weight_hh comes back", network.kernels());
    require(same(a.weightHr.data(), b.weightHr.data(), a.weightHr.size()), "weight_hr comes back", network.kernels());
    require(same(a.peephole.data(), b.peephole.data(), a.peephole.size()), "peepholes come back", network.kernels());
  }
}

void checkRows(const Network& network, const Case& c, const Result& whole) {
  size_t DO = c.spec.directions() * c.spec.outputSize();
  for (size_t b = 0; b < c.B; b++) {
    Result alone = forward(network, rowOf(c, b), 1);
    for (size_t t = 0; t < c.T; t++) {
      const float* y = whole.y.data() + (c.batchFirst ? b * c.T + t : t * c.B + b) * DO;
      require(same(y, alone.y.data() + t * DO, DO), "a row alone has the bits it has in a batch", network.kernels());
    }
  }
}

void checkStream(const Network& network, const Case& c, const Result& whole, size_t cut) {
  if (c.spec.direction != Direction::forward || c.withLengths || c.batchFirst)
    return;
  size_t I = c.spec.inputSize, O = c.spec.outputSize();
  std::vector<float> y(c.T * c.B * O);
  Stream stream(network, c.B);
  stream.writeState(c.withStates ? c.h0.data() : nullptr, c.withStates && isLstm(c.spec.cell) ? c.c0.data() : nullptr);
  cut = cut % (c.T + 1);
  for (size_t t = 0; t < cut; t++)
    stream.step(c.x.data() + t * c.B * I, y.data() + t * c.B * O);
  stream.run(c.x.data() + cut * c.B * I, c.T - cut, y.data() + cut * c.B * O);
  require(same(y.data(), whole.y.data(), y.size()), "a stream has the bits of forward", network.kernels());
  std::vector<float> h(whole.hn.size()), cell(whole.cn.size());
  stream.readState(h.data(), isLstm(c.spec.cell) ? cell.data() : nullptr);
  require(same(h.data(), whole.hn.data(), h.size()), "a stream's state is forward's", network.kernels());
}

} // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  alwaysShareWork();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Bytes bytes(data, size);
  const Case c = readCase(bytes);
  const size_t cut = bytes.next();
  const bool onThreads = bytes.below(8) == 0; // waking them takes longer than the rest
  std::vector<CellWeights> views;
  auto view = [](const std::vector<float>& v) { return v.empty() ? nullptr : v.data(); };
  for (const Plain& p : c.weights)
    views.push_back(
        {view(p.weightIh), view(p.weightHh), view(p.biasIh), view(p.biasHh), view(p.weightHr), view(p.peephole)});

  size_t count;
  const Kernels* const* tables = kernelTables(count);
  Result fused;
  for (size_t i = 0; i < count; i++) {
    const Kernels& kernels = *tables[i];
    if (!runsHere(kernels))
      continue;
    Aligned packed(Network::packedBytes(c.spec, kernels) / sizeof(float));
    Network network(c.spec, kernels, packed.memory);
    network.pack(views.data());
    checkUnpack(network, c);
    Result whole = forward(network, c, 1);
    if (onThreads)
      require(same(whole, forward(network, c, 3)), "threads change no bit", kernels);
    checkRows(network, c, whole);
    checkStream(network, c, whole, cut);
    if (!kernels.fused)
      continue;
    if (!fused.hn.empty())
      require(same(whole, fused), "the bits of the other tables", kernels);
    fused = whole;
  }
  return 0;
}
