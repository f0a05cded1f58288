// Checks the ISA tables without Node: every table that runs here against a double-precision loop, and against every
// other fused table by bits, over random sizes, batches, lengths and cuts. Build: scripts/check-tables.sh.
#include "../../native/kernels/dispatch.h"
#include "../../native/ops/linear.h"
#include "../../native/rnn/network.h"
#include "../../native/rnn/stream.h"
#include "../../native/rnn/thread_cost.h"
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iterator>
#include <random>
#include <string>
#include <vector>

using namespace native_rnn;
using Floats = std::vector<float>;

static std::mt19937 generator(20260917);
static size_t between(size_t low, size_t high) { return low + generator() % (high - low + 1); }
static Floats randoms(size_t count, float scale) {
  std::uniform_real_distribution<float> uniform(-scale, scale);
  Floats v(count);
  for (float& x : v)
    x = uniform(generator);
  return v;
}

static const char* const cellNames[] = {"rnnTanh", "rnnRelu", "gru", "gruResetBefore", "lstm", "lstmPeephole"};

struct Plain {
  Floats ih, hh, bih, bhh, hr, peephole;
};

struct Case {
  NetworkSpec spec;
  size_t T, B;
  bool batchFirst, initial;
  std::vector<int32_t> lengths;
  std::vector<Plain> weights;
  Floats x, h0, c0;
  size_t gates() const { return spec.cell >= CellKind::lstm ? 4 : spec.cell >= CellKind::gru ? 3 : 1; }
};

struct Outputs {
  Floats y, hn, cn;
};

static Case randomCase() {
  static const size_t sizes[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 24, 31, 33, 63, 64, 65, 67, 127, 129, 150};
  Case c;
  c.spec.cell = CellKind(between(0, 5));
  c.spec.direction = Direction(between(0, 2));
  c.spec.inputSize = sizes[between(0, std::size(sizes) - 1)];
  // One row of many steps over weights that pass the first-level cache makes input sums beside its steps.
  const bool longRow = between(0, 5) == 0;
  c.spec.hiddenSize = longRow ? between(66, 150) : sizes[between(0, std::size(sizes) - 1)];
  const bool lstm = c.spec.cell >= CellKind::lstm;
  c.spec.projSize = lstm && c.spec.hiddenSize > 1 && between(0, 2) == 0 ? between(1, c.spec.hiddenSize - 1) : 0;
  c.spec.numLayers = between(1, 3);
  c.spec.bias = between(0, 3) > 0;
  c.T = between(0, 3) ? between(1, 12) : between(0, 120);
  c.B = between(0, 2) ? between(1, 6) : between(0, 9) ? between(1, 67) : between(120, 300);
  if (longRow)
    c.T = between(20, 60), c.B = 1;
  c.batchFirst = between(0, 1);
  c.initial = between(0, 1);
  if (between(0, 1))
    for (size_t b = 0; b < c.B; b++)
      c.lengths.push_back(int32_t(between(0, c.T)));
  const size_t H = c.spec.hiddenSize, O = c.spec.outputSize(), D = c.spec.directions(), G = c.gates();
  for (size_t l = 0; l < c.spec.numLayers; l++)
    for (size_t d = 0; d < D; d++) {
      const size_t K = l ? D * O : c.spec.inputSize;
      const float scale = 1 / std::sqrt(float(H));
      Plain p{randoms(G * H * K, scale), randoms(G * H * O, scale), {}, {}, {}, {}};
      if (c.spec.bias)
        p.bih = randoms(G * H, scale), p.bhh = randoms(G * H, scale);
      if (c.spec.projSize)
        p.hr = randoms(O * H, scale);
      if (c.spec.cell == CellKind::lstmPeephole)
        p.peephole = randoms(3 * H, 0.5f);
      c.weights.push_back(p);
    }
  c.x = randoms(c.T * c.B * c.spec.inputSize, 2);
  if (c.initial) {
    c.h0 = randoms(c.spec.numLayers * D * c.B * O, 1);
    if (lstm)
      c.c0 = randoms(c.spec.numLayers * D * c.B * H, 1);
  }
  return c;
}

static const float* orNull(const Floats& v) { return v.empty() ? nullptr : v.data(); }

// Packed networks on one table.
struct PackedNetwork {
  Floats memory;
  Network* network;
  PackedNetwork(const Case& c, const Kernels& kernels) {
    memory.resize(Network::packedBytes(c.spec, kernels) / sizeof(float) + 16);
    float* at = reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(memory.data()) + 63) & ~uintptr_t(63));
    network = new Network(c.spec, kernels, at);
    std::vector<CellWeights> w;
    for (const Plain& p : c.weights)
      w.push_back({p.ih.data(), p.hh.data(), orNull(p.bih), orNull(p.bhh), orNull(p.hr), orNull(p.peephole)});
    network->pack(w.data());
  }
  ~PackedNetwork() { delete network; }
};

static Outputs forward(const Case& c, const Network& network, size_t threads) {
  const size_t O = c.spec.outputSize(), D = c.spec.directions(), L = c.spec.numLayers;
  Outputs out{Floats(c.T * c.B * D * O), Floats(L * D * c.B * O), {}};
  if (c.spec.cell >= CellKind::lstm)
    out.cn.resize(L * D * c.B * c.spec.hiddenSize);
  Scratch scratch;
  ForwardCall call{c.x.data(),
                   c.T,
                   c.B,
                   c.batchFirst,
                   orNull(c.h0),
                   orNull(c.c0),
                   c.lengths.empty() ? nullptr : c.lengths.data(),
                   out.y.data(),
                   out.hn.data(),
                   out.cn.empty() ? nullptr : out.cn.data()};
  call.threads = threads;
  network.forward(call, scratch);
  return out;
}

// The same in plain double precision, states rounded once a step.
static Outputs reference(const Case& c) {
  const size_t H = c.spec.hiddenSize, O = c.spec.outputSize(), D = c.spec.directions(), L = c.spec.numLayers;
  const auto sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
  Outputs out{{}, Floats(L * D * c.B * O), {}};
  if (c.spec.cell >= CellKind::lstm)
    out.cn.resize(L * D * c.B * H);
  size_t K = c.spec.inputSize;
  Floats in = c.x;
  bool batchFirst = c.batchFirst;
  for (size_t l = 0; l < L; l++) {
    Floats y(c.T * c.B * D * O, 0.0f);
    for (size_t d = 0; d < D; d++)
      for (size_t b = 0; b < c.B; b++) {
        const Plain& w = c.weights[l * D + d];
        const size_t s = (l * D + d) * c.B + b, length = c.lengths.empty() ? c.T : c.lengths[b];
        std::vector<double> h(O), state(H), between(H), reset(H);
        for (size_t o = 0; o < O; o++)
          h[o] = c.h0.empty() ? 0 : c.h0[s * O + o];
        for (size_t n = 0; n < H; n++)
          state[n] = c.c0.empty() ? 0 : c.c0[s * H + n];
        const bool reverse = d == 1 || c.spec.direction == Direction::reverse;
        for (size_t i = 0; i < length; i++) {
          const size_t t = reverse ? length - 1 - i : i;
          const float* x = in.data() + (batchFirst ? (b * c.T + t) : (t * c.B + b)) * K;
          const auto sum = [](const Floats& m, const Floats& bias, size_t row, const auto* v, size_t width) {
            double total = bias.empty() ? 0 : bias[row];
            for (size_t k = 0; k < width; k++)
              total += double(m[row * width + k]) * v[k];
            return total;
          };
          const auto xs = [&](size_t g, size_t n) { return sum(w.ih, w.bih, g * H + n, x, K); };
          const auto hs = [&](size_t g, size_t n) { return sum(w.hh, w.bhh, g * H + n, h.data(), O); };
          std::vector<double> next(H);
          if (c.spec.cell == CellKind::gruResetBefore)
            for (size_t n = 0; n < H; n++)
              reset[n] = sigmoid(xs(0, n) + hs(0, n)) * h[n];
          for (size_t n = 0; n < H; n++) {
            if (c.spec.cell == CellKind::rnnTanh)
              next[n] = std::tanh(xs(0, n) + hs(0, n));
            if (c.spec.cell == CellKind::rnnRelu)
              next[n] = std::fmax(0, xs(0, n) + hs(0, n));
            if (c.spec.cell == CellKind::gru || c.spec.cell == CellKind::gruResetBefore) {
              const double z = sigmoid(xs(1, n) + hs(1, n));
              const double candidate = c.spec.cell == CellKind::gru
                                           ? std::tanh(xs(2, n) + sigmoid(xs(0, n) + hs(0, n)) * hs(2, n))
                                           : std::tanh(xs(2, n) + sum(w.hh, w.bhh, 2 * H + n, reset.data(), H));
              next[n] = (1 - z) * candidate + z * h[n];
            }
            if (c.spec.cell >= CellKind::lstm) {
              const bool peep = c.spec.cell == CellKind::lstmPeephole;
              const auto p = [&](size_t g) { return peep ? double(w.peephole[g * H + n]) : 0.0; };
              const double i_ = sigmoid(xs(0, n) + hs(0, n) + p(0) * state[n]);
              const double f = sigmoid(xs(1, n) + hs(1, n) + p(1) * state[n]);
              const double c2 = f * state[n] + i_ * std::tanh(xs(2, n) + hs(2, n));
              next[n] = sigmoid(xs(3, n) + hs(3, n) + p(2) * c2) * std::tanh(c2);
              state[n] = float(c2);
            }
          }
          for (size_t o = 0; o < O; o++)
            h[o] = float(c.spec.projSize ? sum(w.hr, {}, o, next.data(), H) : next[o]);
          const bool last = l + 1 == L;
          const size_t row = last && c.batchFirst ? b * c.T + t : t * c.B + b;
          for (size_t o = 0; o < O; o++)
            y[(row * D + d) * O + o] = float(h[o]);
        }
        for (size_t o = 0; o < O; o++)
          out.hn[s * O + o] = float(h[o]);
        if (!out.cn.empty())
          for (size_t n = 0; n < H; n++)
            out.cn[s * H + n] = float(state[n]);
      }
    in = out.y = y;
    K = D * O;
    batchFirst = false;
  }
  return out;
}

static int failures = 0;
static void fail(const std::string& what, const Case& c, const char* table) {
  if (++failures > 20)
    return;
  std::printf("FAIL %s on %s: %s I %zu H %zu P %zu L %zu D %d bias %d T %zu B %zu lengths %d batchFirst %d\n",
              what.c_str(), table, cellNames[int(c.spec.cell)], c.spec.inputSize, c.spec.hiddenSize, c.spec.projSize,
              c.spec.numLayers, int(c.spec.direction), c.spec.bias, c.T, c.B, !c.lengths.empty(), c.batchFirst);
}
static bool same(const Floats& a, const Floats& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}
static bool same(const Outputs& a, const Outputs& b) { return same(a.y, b.y) && same(a.hn, b.hn) && same(a.cn, b.cn); }
static double distance(const Floats& a, const Floats& b) {
  double worst = 0;
  for (size_t i = 0; i < a.size(); i++)
    worst = std::fmax(worst, std::fabs(a[i] - b[i]) / (1 + std::fabs(b[i])));
  return worst;
}

// A stream over row `b`, cut at random, must give that row's bits.
static void checkStream(const Case& c, const Network& network, const Outputs& whole, const char* table) {
  const size_t I = c.spec.inputSize, O = c.spec.outputSize(), L = c.spec.numLayers, H = c.spec.hiddenSize;
  const size_t b = between(0, c.B - 1), length = c.lengths.empty() ? c.T : c.lengths[b];
  Stream stream(network, 1);
  Floats h(L * O), cell(L * H), x(length * I), y(length * O);
  for (size_t l = 0; l < L; l++) {
    if (!c.h0.empty())
      std::memcpy(&h[l * O], &c.h0[(l * c.B + b) * O], O * sizeof(float));
    if (!c.c0.empty())
      std::memcpy(&cell[l * H], &c.c0[(l * c.B + b) * H], H * sizeof(float));
  }
  stream.writeState(h.data(), cell.data());
  for (size_t t = 0; t < length; t++)
    std::memcpy(&x[t * I], &c.x[(c.batchFirst ? b * c.T + t : t * c.B + b) * I], I * sizeof(float));
  for (size_t t = 0; t < length;) {
    const size_t steps = between(1, length - t);
    if (steps == 1)
      stream.step(&x[t * I], &y[t * O]);
    else
      stream.run(&x[t * I], steps, &y[t * O]);
    t += steps;
  }
  for (size_t t = 0; t < length; t++)
    if (std::memcmp(&y[t * O], &whole.y[(c.batchFirst ? b * c.T + t : t * c.B + b) * O], O * sizeof(float)))
      return fail("stream", c, table);
  stream.readState(h.data(), cell.data());
  for (size_t l = 0; l < L; l++)
    if (std::memcmp(&h[l * O], &whole.hn[(l * c.B + b) * O], O * sizeof(float)))
      return fail("stream state", c, table);
}

// Every plain weight must come back from the packed layout.
static void checkUnpack(const Case& c, const Network& network, const char* table) {
  std::vector<Plain> copy = c.weights;
  std::vector<MutableCellWeights> out;
  for (Plain& p : copy) {
    for (Floats* v : {&p.ih, &p.hh, &p.bih, &p.bhh, &p.hr, &p.peephole})
      std::fill(v->begin(), v->end(), 7.0f);
    const auto at = [](Floats& v) { return v.empty() ? nullptr : v.data(); };
    out.push_back({at(p.ih), at(p.hh), at(p.bih), at(p.bhh), at(p.hr), at(p.peephole)});
  }
  network.unpack(out.data());
  for (size_t i = 0; i < copy.size(); i++)
    if (!same(copy[i].ih, c.weights[i].ih) || !same(copy[i].hh, c.weights[i].hh) ||
        !same(copy[i].bih, c.weights[i].bih) || !same(copy[i].bhh, c.weights[i].bhh) ||
        !same(copy[i].hr, c.weights[i].hr) || !same(copy[i].peephole, c.weights[i].peephole))
      return fail("unpack", c, table);
}

int main(int argc, char** argv) {
  const int cases = argc > 1 ? std::atoi(argv[1]) : 1000;
  size_t count;
  const Kernels* const* tables = kernelTables(count);
  std::vector<const Kernels*> here;
  for (size_t i = 0; i < count; i++) {
    std::printf("%-8s %s\n", tables[i]->name, runsHere(*tables[i]) ? "runs here" : "does not run here");
    if (runsHere(*tables[i]))
      here.push_back(tables[i]);
  }
  for (const Kernels* kernels : here) {
    const ThreadCosts costs = threadCosts(*kernels);
    std::printf("%-8s help %.0f ns, meeting %.0f ns; a multiplication of one row %.4f ns, of several %.4f ns\n",
                kernels->name, costs.wakeNs, costs.barrierNs, costs.gemvNsPerMac, costs.gemmNsPerMac);
    if (!(costs.wakeNs > 0 && costs.barrierNs > 0 && costs.gemvNsPerMac > 0 && costs.gemmNsPerMac > 0)) {
      std::printf("FAIL costs of sharing\n");
      failures++;
    }
  }
  alwaysShareWork();
  double worst = 0;
  for (int i = 0; i < cases; i++) {
    const Case c = randomCase();
    const Outputs expected = reference(c);
    Outputs fused;
    const char* fusedName = nullptr;
    for (const Kernels* kernels : here) {
      PackedNetwork packed(c, *kernels);
      const Outputs got = forward(c, *packed.network, 1);
      const double off = std::fmax(std::fmax(distance(got.y, expected.y), distance(got.hn, expected.hn)),
                                   distance(got.cn, expected.cn));
      worst = std::fmax(worst, off);
      if (!(off < 2e-5))
        fail("double precision", c, kernels->name);
      if (!same(got, forward(c, *packed.network, between(2, 4))))
        fail("threads", c, kernels->name);
      if (kernels->fused) {
        if (fusedName && !same(got, fused))
          fail(std::string("bits of ") + fusedName, c, kernels->name);
        fusedName = kernels->name;
        fused = got;
      }
      if (c.B > 0 && c.T > 0 && c.spec.direction == Direction::forward)
        checkStream(c, *packed.network, got, kernels->name);
      checkUnpack(c, *packed.network, kernels->name);
    }
  }
  std::printf("%d cases, worst difference from double precision %.2e, %d failures\n", cases, worst, failures);
  return failures ? 1 : 0;
}
