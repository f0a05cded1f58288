// Checks the ISA tables without Node: every table that runs here against a double-precision loop, and against every
// other fused table by bits, over random sizes, batches, lengths and cuts. Build: scripts/check-tables.sh.
#include "kernels/dispatch.h"
#include "networks.h"
#include "plain_vnni.h"
#include "rnn/thread_cost.h"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <list>
#include <random>
#include <string>

using namespace networks;

static std::mt19937 generator(20260917);
static size_t between(size_t low, size_t high) { return low + generator() % (high - low + 1); }
static Floats randoms(size_t count, float scale) {
  std::uniform_real_distribution<float> uniform(-scale, scale);
  Floats v(count);
  for (float& x : v)
    x = uniform(generator);
  return v;
}

static Activation randomActivation(bool bounded) {
  static const ActivationKind bounds[] = {ActivationKind::tanh, ActivationKind::sigmoid, ActivationKind::scaledTanh,
                                          ActivationKind::hardSigmoid, ActivationKind::softsign};
  const auto kind =
      bounded ? bounds[between(0, std::size(bounds) - 1)] : ActivationKind(between(0, activationKinds - 1));
  Activation a{kind, randoms(1, 0.9f)[0], randoms(1, 0.9f)[0]};
  // Elsewhere it jumps, and a rounding decides which way.
  if (kind == ActivationKind::thresholdedRelu)
    a.alpha = 0;
  return a;
}

// Any functions for a few steps, within a bound: gates far above 1 leave nothing of a state's digits.
static void drawFunctions(Case& c) {
  const bool bounded = between(0, 2) == 0, many = bounded && between(0, 1);
  if (!many)
    c.T = c.T % 4;
  for (CellFunctions& functions : c.spec.functions) {
    functions.f = randomActivation(bounded), functions.g = randomActivation(false);
    functions.h = randomActivation(false);
    functions.clip = many ? 1 : bounded ? INFINITY : between(0, 1) ? 1.5f : 0.5f;
    functions.inputForget = between(0, 3) == 0;
  }
}

static Case randomCase() {
  static const size_t sizes[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 24, 31, 33, 63, 64, 65, 67, 127, 129, 150};
  Case c;
  c.spec.cell = CellKind(between(0, cellKinds - 1));
  c.spec.direction = Direction(between(0, 2));
  c.spec.inputSize = sizes[between(0, std::size(sizes) - 1)];
  // One row of many steps over weights that pass the first-level cache makes input gates beside its steps.
  const bool longRow = between(0, 5) == 0;
  c.spec.hiddenSize = longRow ? between(66, 150) : sizes[between(0, std::size(sizes) - 1)];
  const bool lstm = c.spec.traits().hasCellState;
  c.spec.projSize = lstm && c.spec.hiddenSize > 1 && between(0, 2) == 0 ? between(1, c.spec.hiddenSize - 1) : 0;
  c.spec.numLayers = between(1, 3);
  c.spec.bias = between(0, 3) > 0;
  static const Precision precisions[] = {{},
                                         {WeightType::f16, ActivationType::f32},
                                         {WeightType::bf16, ActivationType::f32},
                                         {WeightType::int8, ActivationType::f32},
                                         {WeightType::int8, ActivationType::int8}};
  c.spec.precision = precisions[between(0, std::size(precisions) - 1)];
  c.T = between(0, 3) ? between(1, 12) : between(0, 120);
  c.B = between(0, 2) ? between(1, 6) : between(0, 9) ? between(1, 67) : between(120, 300);
  if (longRow)
    c.T = between(20, 60), c.B = 1;
  if (c.spec.traits().general)
    drawFunctions(c);
  c.batchFirst = between(0, 1);
  if (between(0, 1))
    for (size_t b = 0; b < c.B; b++)
      c.lengths.push_back(int32_t(between(0, c.T)));
  const float scale = 1 / std::sqrt(float(c.spec.hiddenSize));
  fill(c, between(0, 1), [&](size_t count, double size) { return randoms(count, size > 1 ? 2 : scale); });
  return c;
}

static double activated(const Activation& a, float clip, double x) {
  x = std::fmax(-clip, std::fmin(clip, x));
  switch (a.kind) {
  case ActivationKind::tanh:
    return std::tanh(x);
  case ActivationKind::sigmoid:
    return 1 / (1 + std::exp(-x));
  case ActivationKind::relu:
    return std::fmax(0, x);
  case ActivationKind::affine:
    return a.alpha * x + a.beta;
  case ActivationKind::leakyRelu:
    return x < 0 ? a.alpha * x : x;
  case ActivationKind::thresholdedRelu:
    return x < a.alpha ? 0 : x;
  case ActivationKind::scaledTanh:
    return a.alpha * std::tanh(a.beta * x);
  case ActivationKind::hardSigmoid:
    return std::fmin(1, std::fmax(0, a.alpha * x + a.beta));
  case ActivationKind::elu:
    return x < 0 ? a.alpha * std::expm1(x) : x;
  case ActivationKind::softsign:
    return x / (1 + std::fabs(x));
  case ActivationKind::softplus:
    return std::log1p(std::exp(x));
  }
  return x;
}

// The functions of a direction, those of the fast cells spelled out.
static CellFunctions functionsOf(const NetworkSpec& spec, size_t d) {
  if (spec.traits().general)
    return spec.functions[d];
  const Activation sigmoid{ActivationKind::sigmoid, 0, 0}, tanh{ActivationKind::tanh, 0, 0};
  const Activation relu{ActivationKind::relu, 0, 0};
  const bool gates = spec.traits().gates > 1;
  return {spec.cell == CellKind::rnnRelu ? relu : gates ? sigmoid : tanh, tanh, tanh, INFINITY, false};
}

// The same in plain double precision, states rounded once a step.
static Outputs reference(const Case& c) {
  const size_t H = c.spec.hiddenSize, O = c.spec.outputSize(), D = c.spec.directions(), L = c.spec.numLayers;
  Outputs out{{}, Floats(L * D * c.B * O), {}};
  if (c.spec.traits().hasCellState)
    out.cn.resize(L * D * c.B * H);
  size_t K = c.spec.inputSize;
  Floats in = c.x;
  bool batchFirst = c.batchFirst;
  for (size_t l = 0; l < L; l++) {
    Floats y(c.T * c.B * D * O, 0.0f);
    for (size_t d = 0; d < D; d++)
      for (size_t b = 0; b < c.B; b++) {
        const PlainWeights& w = c.weights[l * D + d];
        const CellFunctions functions = functionsOf(c.spec, d);
        const auto gate = [&](double v) { return activated(functions.f, functions.clip, v); };
        const auto candidate = [&](double v) { return activated(functions.g, functions.clip, v); };
        const CellTraits& traits = c.spec.traits();
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
          const bool rounds = c.spec.precision.activations == ActivationType::int8;
          const auto sum = [rounds](const Floats& m, const Floats& bias, size_t row, const auto* v, size_t width) {
            double total = bias.empty() ? 0 : bias[row];
            float most = 0;
            for (size_t k = 0; k < width; k++)
              most = std::fmax(most, std::fabs(float(v[k])));
            const float scale = most / 127;
            for (size_t k = 0; k < width; k++)
              total += m[row * width + k] * (!rounds     ? double(v[k])
                                             : scale > 0 ? double(scale) * std::nearbyint(float(v[k]) / scale)
                                                         : 0.0);
            return total;
          };
          const auto xs = [&](size_t g, size_t n) { return sum(w.weightIh, w.biasIh, g * H + n, x, K); };
          const auto hs = [&](size_t g, size_t n) { return sum(w.weightHh, w.biasHh, g * H + n, h.data(), O); };
          std::vector<double> next(H);
          if (traits.candidateGates)
            for (size_t n = 0; n < H; n++)
              reset[n] = gate(xs(0, n) + hs(0, n)) * h[n];
          for (size_t n = 0; n < H; n++) {
            if (traits.gates == 1)
              next[n] = gate(xs(0, n) + hs(0, n));
            if (traits.gates == 3) {
              const double z = gate(xs(1, n) + hs(1, n));
              const double value = traits.candidateGates == 0
                                       ? candidate(xs(2, n) + gate(xs(0, n) + hs(0, n)) * hs(2, n))
                                       : candidate(xs(2, n) + sum(w.weightHh, w.biasHh, 2 * H + n, reset.data(), H));
              next[n] = (1 - z) * value + z * h[n];
            }
            if (traits.hasCellState) {
              const auto p = [&](size_t g) { return traits.hasPeepholes ? double(w.peephole[g * H + n]) : 0.0; };
              const double i_ = gate(xs(0, n) + hs(0, n) + p(0) * state[n]);
              const double f = functions.inputForget ? 1 - i_ : gate(xs(1, n) + hs(1, n) + p(1) * state[n]);
              const double c2 = f * state[n] + i_ * candidate(xs(2, n) + hs(2, n));
              next[n] = gate(xs(3, n) + hs(3, n) + p(2) * c2) * activated(functions.h, functions.clip, c2);
              state[n] = float(c2);
            }
          }
          for (size_t o = 0; o < O; o++)
            h[o] = float(c.spec.projSize ? sum(w.weightHr, {}, o, next.data(), H) : next[o]);
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
  std::printf("FAIL %s on %s: %s weights %s activations %d I %zu H %zu P %zu L %zu D %d bias %d T %zu B %zu lengths %d "
              "batchFirst %d\n",
              what.c_str(), table, c.spec.traits().name, weightTypeTraits(c.spec.precision.weights).name,
              int(c.spec.precision.activations), c.spec.inputSize, c.spec.hiddenSize, c.spec.projSize, c.spec.numLayers,
              int(c.spec.direction), c.spec.bias, c.T, c.B, !c.lengths.empty(), c.batchFirst);
}
static double distance(const Floats& a, const Floats& b) {
  double worst = 0;
  for (size_t i = 0; i < a.size(); i++)
    worst = std::fmax(worst, std::fabs(a[i] - b[i]) / (1 + std::fabs(b[i])));
  return worst;
}

// How far results may be from the reference's. Where a state is rounded to int8, a last digit decides which way; what
// was given is the same for both.
static double allowance(const Case& c) {
  const bool roundsComputed = c.spec.precision.activations == ActivationType::int8 &&
                              (c.T > 1 || c.spec.numLayers > 1 || c.spec.projSize || c.spec.traits().candidateGates);
  return roundsComputed ? 0.1 : 2e-5;
}
// How much further cell states may be: those that grow without end are products of as many factors as there are steps,
// whose errors add up.
static double allowanceOfGrowth(const Case& c, const Floats& cn) {
  const bool grows = std::any_of(cn.begin(), cn.end(), [](float state) { return std::fabs(state) > 1e6f; });
  return grows ? 1e-6 * double(c.T) : 0;
}

// A stream over some row, cut at random, must give that row's bits.
static void checkStream(const Case& c, const Network& network, const Outputs& whole, const char* table) {
  const size_t b = between(0, c.B - 1);
  const Outputs alone = streamed(rowOf(c, b), network, [](size_t left) { return between(1, left); });
  if (!rowIsSame(c, whole, b, alone))
    fail("stream", c, table);
}

int main(int argc, char** argv) {
  const int cases = argc > 1 ? std::atoi(argv[1]) : 1000;
  size_t count;
  const Kernels *const *tables = kernelTables(count), *const *compiled = compiledTables(count);
  std::vector<const Kernels*> here;
  std::list<Kernels> others; // with other products of int8: the table's own, and VNNI's spelled out
  for (size_t i = 0; i < count; i++) {
    std::printf("%-8s %s, products of int8 by %s\n", tables[i]->name,
                runsHere(*tables[i]) ? "runs here" : "does not run here", tables[i]->dots->name);
    if (!runsHere(*tables[i]))
      continue;
    here.push_back(tables[i]);
    for (const DotKernels* dots : {compiled[i]->dots, plainVnniOf(*tables[i])})
      if (dots && dots != tables[i]->dots) {
        others.push_back(*tables[i]);
        others.back().dots = dots;
      }
  }
  for (const Kernels* kernels : here) {
    const ThreadCosts costs = threadCosts(*kernels);
    std::printf("%-8s wake %.0f ns, barrier %.0f ns; a multiply-add of one row %.4f ns, of several %.4f ns\n",
                kernels->name, costs.wakeNs, costs.barrierNs, costs.gemvNsPerMac, costs.gemmNsPerMac);
    if (!(costs.wakeNs > 0 && costs.barrierNs > 0 && costs.gemvNsPerMac > 0 && costs.gemmNsPerMac > 0)) {
      std::printf("FAIL costs of threads\n");
      failures++;
    }
  }
  alwaysShareWork();
  double worst = 0, worstRounded = 0;
  for (int i = 0; i < cases; i++) {
    const Case c = randomCase();
    Case kept = c; // the weights as they are kept
    Outputs expected, fused;
    const char* fusedName = nullptr;
    std::vector<const Kernels*> all = here;
    if (c.spec.precision.activations == ActivationType::int8)
      for (const Kernels& kernels : others)
        all.push_back(&kernels);
    for (const Kernels* kernels : all) {
      const PackedNetwork packed(c, *kernels);
      const std::vector<PlainWeights> weights = unpacked(c, packed.network);
      if (kernels == here.front()) {
        kept.weights = weights;
        expected = reference(kept);
      }
      const Outputs got = forward(c, packed.network, 1);
      const double off = std::fmax(distance(got.y, expected.y), distance(got.hn, expected.hn));
      const double offOfCell = distance(got.cn, expected.cn);
      double& most = allowance(c) > 1e-3 ? worstRounded : worst;
      most = std::fmax(most, std::fmax(off, offOfCell));
      if (!(off < allowance(c) && offOfCell < allowance(c) + allowanceOfGrowth(c, expected.cn)))
        fail("double precision", c, kernels->name);
      if (!same(got, forward(c, packed.network, between(2, 4))))
        fail("threads", c, kernels->name);
      if (kernels->fused) {
        if (fusedName && !same(got, fused))
          fail(std::string("bits of ") + fusedName, c, kernels->name);
        fusedName = kernels->name;
        fused = got;
      }
      if (c.B > 0 && c.T > 0 && c.spec.direction == Direction::forward)
        checkStream(c, packed.network, got, kernels->name);
      if (!same(weights, c.spec.precision.weights == WeightType::f32 ? c.weights : kept.weights))
        fail("unpack", c, kernels->name);
    }
  }
  std::printf("%d cases, worst difference from double precision %.2e, of states in int8 %.2e, %d failures\n", cases,
              worst, worstRounded, failures);
  return failures ? 1 : 0;
}
