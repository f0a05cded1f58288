// Instructions that are products: convolutions in every geometry, products of computed matrices, recurrent layers, each
// against naive loops over numbers that float32 adds without rounding, or against the engine itself.
#include "networks.h"
#include "programs.h"
#include "protocol/spec_numbers.h"
#include "unit.h"
#include <cmath>

using namespace programs;

namespace {

using Index = std::vector<size_t>;

struct Geometry {
  size_t kernel, stride, dilation, pad, size, windows;
};

Geometry geometry(Random& random) {
  Geometry g{};
  g.kernel = 1 + random.below(4), g.stride = 1 + random.below(3), g.dilation = 1 + random.below(2);
  g.pad = random.below(2) ? random.below(4) : 0;
  g.size = 1 + random.below(random.below(8) ? 12 : 40);
  // Windows that leave the input at the end, too.
  g.windows = 1 + random.below(6);
  if (random.below(2) && g.pad == 0 && g.size >= (g.kernel - 1) * g.dilation + 1)
    g.windows = (g.size - (g.kernel - 1) * g.dilation - 1) / g.stride + 1;
  return g;
}

bool isRefused(const Source& source, const Kernels& kernels) {
  try {
    Built(source, kernels);
    return false;
  } catch (const std::invalid_argument&) {
    return true;
  }
}

void convolves(const Kernels& kernels, Random& random) {
  Source source;
  const size_t B = 1 + random.below(3), groups = random.below(4) ? 1 : 2 + random.below(2);
  Geometry h = geometry(random), w = geometry(random);
  if (random.below(2))
    h = {1, 1, 1, 0, 1, 1};
  const size_t C = groups * (1 + random.below(5)), N = (random.below(3) ? 1 + random.below(20) : 16),
               K = h.kernel * w.kernel * C / groups;
  for (size_t g = 0; g < groups; g++) {
    source.weights.push_back(wholeNumbers(N * K + N, unsigned(random.below(1000))));
    source.sizes.push_back({K, N});
  }
  const bool isPadded = random.below(2), isScratch = isPadded || random.below(2), hasFunction = random.below(2);
  Places places{random};
  const Operand x = places.take(Element::float32, {B, h.size, w.size, C}, false);
  const bool isDense = C == 1 || x.strides[3] == 1;
  const Index sizes{B, h.windows, w.windows, groups * N};
  const Operand result = places.take(Element::float32, sizes, false);
  Operand y = result;
  if (isScratch || (y.strides[3] != 1 && sizes[3] > 1)) {
    const size_t row = isPadded ? roundUp(groups * N + 15, 16) : groups * N;
    y = {Element::float32, Region::scratch, 0, sizes, {}};
    y.strides = {ptrdiff_t(h.windows * w.windows * row), ptrdiff_t(w.windows * row), ptrdiff_t(row), 1};
    source.scratchBytes = B * h.windows * w.windows * row * 4;
  }
  source.ioBytes = places.bytes;
  source.instructions = {instruction(Opcode::conv, 0, 0, 0, double(groups), double(K), double(N), double(h.kernel),
                                     double(w.kernel), double(h.stride), double(w.stride), double(h.dilation),
                                     double(w.dilation), double(h.pad), double(w.pad),
                                     hasFunction ? double(MapFunction::relu) : -1.0, 0, 0, double(isPadded), x, y)};
  if (y.region == Region::scratch)
    source.instructions.push_back(instruction(Opcode::copy, y, result));
  if (!isDense) {
    CHECK(isRefused(source, kernels)); // channels that are apart
    return;
  }
  Built built(source, kernels);
  fillWhole<float>(built.io, x, random, -4, 9);
  CHECK(built.run() == Program::done);
  forEachIndex(sizes, [&](const Index& i) {
    const size_t g = i[3] / N, n = i[3] % N;
    const std::vector<float>& weights = source.weights[g];
    float sum = weights[N * K + n];
    for (size_t ky = 0; ky < h.kernel; ky++)
      for (size_t kx = 0; kx < w.kernel; kx++)
        for (size_t c = 0; c < C / groups; c++) {
          const size_t iy = i[1] * h.stride + ky * h.dilation - h.pad, ix = i[2] * w.stride + kx * w.dilation - w.pad;
          if (iy < h.size && ix < w.size) // what is before the first wraps
            sum += weights[n * K + (ky * w.kernel + kx) * (C / groups) + c] *
                   valueOf<float>(built.io, x, {i[0], iy, ix, g * (C / groups) + c});
        }
    CHECK(valueOf<float>(built.io, result, i) == (hasFunction ? std::max(sum, 0.0f) : sum));
  });
}

// Of one channel by filters that are symmetric: the weights are those up to the middle.
void convolvesSymmetrically(const Kernels& kernels, Random& random) {
  const size_t even = random.below(20), odd = even ? random.below(20) : 1 + random.below(20), N = even + odd;
  const size_t first = random.below(2), kernel = 1 + random.below(24), stride = 1 + random.below(9);
  const size_t K = first + (kernel - first + 1) / 2, windows = 1 + random.below(random.below(8) ? 6 : 40);
  const size_t size = (windows - 1) * stride + kernel + random.below(4), B = 1 + random.below(3);
  const bool hasFunction = random.below(2), hasMiddle = (kernel - first) % 2;
  Source source;
  const auto add = [&](size_t outputs, bool isOdd) {
    if (outputs == 0)
      return;
    std::vector<float> weights = wholeNumbers(outputs * K + outputs, unsigned(random.below(1000)));
    for (size_t n = 0; n < outputs; n++) {
      if (first)
        weights[n * K] = 0;
      if (hasMiddle && isOdd)
        weights[n * K + K - 1] = 0;
    }
    source.weights.push_back(weights);
    source.sizes.push_back({K, outputs});
  };
  add(even, false), add(odd, true);
  Places places{random};
  const Operand x = places.take(Element::float32, {B, 1, size, 1}, false);
  const Operand y = places.take(Element::float32, {B, 1, windows, N}, false);
  source.ioBytes = places.bytes;
  source.instructions = {instruction(Opcode::symmetricConv, 0, 0, 0, double(even), double(odd), double(first), 1,
                                     double(kernel), 1, double(stride), 1, 1, 0, 0,
                                     hasFunction ? double(MapFunction::relu) : -1.0, 0, 0, x, y)};
  if ((size > 1 && x.strides[2] != 1) || (N > 1 && y.strides[3] != 1)) {
    CHECK(isRefused(source, kernels)); // samples and outputs that are apart
    return;
  }
  Built built(source, kernels);
  fillWhole<float>(built.io, x, random, -4, 9);
  CHECK(built.run() == Program::done);
  forEachIndex({B, 1, windows, N}, [&](const Index& i) {
    const bool isOdd = i[3] >= even;
    const size_t n = isOdd ? i[3] - even : i[3], outputs = isOdd ? odd : even;
    const std::vector<float>& weights = source.weights[isOdd && even];
    float sum = weights[outputs * K + n];
    for (size_t tap = first; tap < kernel; tap++) {
      const size_t mirror = kernel - 1 - (tap - first);
      const float weight = tap <= mirror ? weights[n * K + tap] : (isOdd ? -1 : 1) * weights[n * K + mirror];
      sum += weight * valueOf<float>(built.io, x, {i[0], 0, i[2] * stride + tap, 0});
    }
    CHECK(valueOf<float>(built.io, y, i) == (hasFunction ? std::max(sum, 0.0f) : sum));
  });
}

void multiplies(const Kernels& kernels, Random& random) {
  Source source;
  const size_t outer = random.below(3), M = 1 + random.below(9), K = 1 + random.below(20), N = 1 + random.below(40);
  Index a = random.sizes(outer), b = a, y = a;
  a.insert(a.end(), {M, K}), b.insert(b.end(), {K, N}), y.insert(y.end(), {M, N});
  Places places{random};
  const Operand left = places.take(Element::float32, a), right = places.take(Element::float32, b),
                made = places.take(Element::float32, y, false);
  source.ioBytes = places.bytes;
  source.instructions = {instruction(Opcode::matmul, 0.5, left, right, made)};
  Built built(source, kernels);
  fillWhole<float>(built.io, left, random, -4, 9);
  fillWhole<float>(built.io, right, random, -4, 9);
  CHECK(built.run() == Program::done);
  forEachIndex(y, [&](const Index& i) {
    float sum = 0;
    for (size_t k = 0; k < K; k++) {
      Index p = i, q = i;
      p[outer + 1] = q[outer] = k;
      sum += valueOf<float>(built.io, left, p) * valueOf<float>(built.io, right, q);
    }
    CHECK(valueOf<float>(built.io, made, i) == 0.5f * sum);
  });
}

// Copies values to and from an operand in the order of its indices.
void put(const Bytes& io, const Operand& operand, const std::vector<float>& values) {
  size_t at = 0;
  forEachIndex(operand.sizes, [&](const Index& i) { valueOf<float>(io, operand, i) = values[at++]; });
}
bool holds(const Bytes& io, const Operand& operand, const std::vector<float>& values) {
  size_t at = 0;
  bool all = true;
  forEachIndex(operand.sizes, [&](const Index& i) {
    all = std::memcmp(&valueOf<float>(io, operand, i), &values[at++], sizeof(float)) == 0 && all;
  });
  return all;
}

void recurs(const networks::Case& c, const Kernels& kernels, Random& random);

void recurs(const Kernels& kernels, Random& random) {
  networks::Case c;
  c.spec.cell = CellKind(random.below(size_t(CellKind::rnnGeneral)));
  c.spec.direction = Direction(random.below(3));
  c.spec.inputSize = 1 + random.below(9), c.spec.hiddenSize = 1 + random.below(20), c.spec.bias = random.below(2);
  c.spec.projSize = c.spec.traits().hasCellState && random.below(3) == 0 && c.spec.hiddenSize > 1 ? 1 : 0;
  c.spec.numLayers = 1 + random.below(2);
  c.spec.precision.weights = WeightType(random.below(publicWeightTypes));
  if (c.spec.precision.weights == WeightType::int8 && random.below(2))
    c.spec.precision.activations = ActivationType::int8;
  c.T = 1 + random.below(6), c.B = 1 + random.below(4);
  networks::fill(c, random.below(2), [&](size_t count, double) {
    std::vector<float> values = wholeNumbers(count, unsigned(random.below(1000)));
    for (float& value : values)
      value *= 0.1f;
    return values;
  });
  if (random.below(2))
    for (size_t b = 0; b < c.B; b++)
      c.lengths.push_back(int32_t(random.below(c.T + 1)));
  recurs(c, kernels, random);
}

// So many rows that a program plans for those of one length, and finds others when it runs.
void recursOverManyRows(const Kernels& kernels, Random& random) {
  networks::Case c;
  c.spec.cell = CellKind::gru, c.spec.inputSize = 1, c.spec.hiddenSize = 8, c.spec.numLayers = 1;
  c.T = 2, c.B = 65537;
  networks::fill(c, false, [&](size_t count, double) { return wholeNumbers(count, unsigned(random.below(1000))); });
  for (size_t b = 0; b < c.B; b++)
    c.lengths.push_back(int32_t(b % 3));
  recurs(c, kernels, random);
}

void recurs(const networks::Case& c, const Kernels& kernels, Random& random) {
  const size_t rows = c.cells(), O = c.spec.outputSize(), H = c.spec.hiddenSize;
  const bool hasCell = c.spec.traits().hasCellState, hasState = !c.h0.empty();
  const networks::PackedNetwork packed(c, kernels);
  const networks::Outputs expected = networks::forward(c, packed.network, 1);

  Places places{random};
  const Operand x = places.take(Element::float32, {c.T, c.B, c.spec.inputSize}, false),
                lengths = places.take(Element::int32, {c.B}, false),
                h0 = places.take(Element::float32, {rows, c.B, O}, false),
                c0 = places.take(Element::float32, {rows, c.B, H}, false),
                y = places.take(Element::float32, {c.T, c.B, c.spec.directions() * O}, false),
                hn = places.take(Element::float32, {rows, c.B, O}, false),
                cn = places.take(Element::float32, {rows, c.B, H}, false);
  const bool wantsStates = random.below(2);
  Writer writer;
  writer.add(0).add(double(specFields));
  for (double number : {double(c.spec.cell), double(c.spec.direction), double(c.spec.inputSize), double(H),
                        double(c.spec.projSize), double(c.spec.numLayers), double(c.spec.bias),
                        double(c.spec.precision.weights), double(c.spec.precision.activations)})
    writer.add(number);
  const auto maybe = [&](bool isThere, const Operand& operand) { isThere ? writer.add(operand) : writer.add(-1); };
  writer.add(x);
  maybe(!c.lengths.empty(), lengths), maybe(hasState, h0), maybe(hasState && hasCell, c0), writer.add(y);
  maybe(wantsStates, hn), maybe(wantsStates && hasCell, cn);
  Numbers numbers{double(places.bytes), 0, 1, double(Opcode::network), double(writer.numbers.size())};
  numbers.insert(numbers.end(), writer.numbers.begin(), writer.numbers.end());
  const std::vector<Surroundings::Memory> memories{
      {static_cast<float*>(packed.memory.get()), Network::packedBytes(c.spec, kernels) / sizeof(float)}};
  const Program program(numbers.data(), numbers.size(), kernels, 1, nullptr, 0, memories);
  const Bytes io(places.bytes);
  put(io, x, c.x);
  if (hasState)
    put(io, h0, c.h0);
  if (hasState && hasCell)
    put(io, c0, c.c0);
  for (size_t b = 0; b < c.lengths.size(); b++)
    valueOf<int32_t>(io, lengths, {b}) = c.lengths[b];
  Scratch scratch;
  CHECK(program.run(io.at(), scratch, nullptr) == Program::done);
  CHECK(holds(io, y, expected.y));
  CHECK(!wantsStates || (holds(io, hn, expected.hn) && (!hasCell || holds(io, cn, expected.cn))));
  if (!c.lengths.empty()) {
    valueOf<int32_t>(io, lengths, {0}) = random.below(2) ? -1 : int32_t(c.T) + 1;
    CHECK(program.run(io.at(), scratch, nullptr) == 1);
  }
}

} // namespace

int main() {
  Random random(2);
  for (const Kernels* kernels : tablesHere()) {
    for (int turn = 0; turn < 400; turn++)
      convolves(*kernels, random), convolvesSymmetrically(*kernels, random);
    for (int turn = 0; turn < 100; turn++)
      multiplies(*kernels, random), recurs(*kernels, random);
    recursOverManyRows(*kernels, random);
  }
  return unit::end();
}
