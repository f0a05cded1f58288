// Instructions whose windows slide over images: each against a naive loop over random geometries, the same on every
// table, and what must be refused.
#include "programs.h"
#include "unit.h"
#include <cmath>
#include <functional>

using namespace programs;

namespace {

std::mt19937 generator(11);
size_t between(size_t low, size_t high) { return low + generator() % (high - low + 1); }

// Along both axes; `after`: the padding behind.
struct Geometry {
  size_t kernel[2], stride[2], dilation[2], pad[2], after[2];
};
Geometry randomGeometry() {
  Geometry g;
  for (size_t i = 0; i < 2; i++) {
    g.kernel[i] = between(1, 4), g.stride[i] = between(1, 3), g.dilation[i] = between(1, 2);
    g.pad[i] = between(0, 5), g.after[i] = between(0, 3);
  }
  return g;
}
void add(Numbers& numbers, const Geometry& g) {
  for (const auto& pair : {g.kernel, g.stride, g.dilation, g.pad})
    numbers.insert(numbers.end(), pair, pair + 2);
}
// Where a tap lies, or −1.
ptrdiff_t place(const Geometry& g, size_t axis, size_t window, size_t tap, size_t size) {
  const ptrdiff_t at = ptrdiff_t(window * g.stride[axis] + tap * g.dilation[axis]) - ptrdiff_t(g.pad[axis]);
  return at >= 0 && at < ptrdiff_t(size) ? at : -1;
}

Numbers withHead(Opcode opcode, const Numbers& operands) {
  Numbers all{double(opcode), double(operands.size())};
  all.insert(all.end(), operands.begin(), operands.end());
  return all;
}
void add(Numbers& numbers, const Operand& operand) {
  const Numbers own = numbersOf(operand);
  numbers.insert(numbers.end(), own.begin(), own.end());
}

// An image at an offset, with a gap behind each of its pixels where that is asked for.
struct Pixels {
  size_t offset, B, H, W, C, gap;
  size_t floats() const { return B * H * W * (C + gap); }
  size_t end() const { return offset + floats() * 4; }
  size_t at(size_t b, size_t h, size_t w, size_t c) const { return offset / 4 + ((b * H + h) * W + w) * (C + gap) + c; }
  Operand operand() const {
    const ptrdiff_t w = ptrdiff_t(C + gap), h = w * ptrdiff_t(W), b = h * ptrdiff_t(H);
    return {Element::float32, Region::io, offset, {B, H, W, C}, {b, h, w, 1}};
  }
};

// Runs on every table with the same io, and gives `check` what came out.
void runEverywhere(const Source& source, const std::function<void(const float*)>& check) {
  const std::vector<float> values = wholeNumbers(source.ioBytes / 4, unsigned(generator()));
  for (const Kernels* kernels : tablesHere()) {
    Built built(source, *kernels);
    std::copy(values.begin(), values.end(), built.io.at<float>());
    CHECK(built.run() == Program::done);
    check(built.io.at<float>());
  }
}

constexpr double clip = double(MapFunction::clip);

void depthwise() {
  for (int round = 0; round < 150; round++) {
    const Geometry g = randomGeometry();
    const size_t C = between(1, 19), gap = between(0, 1), taps = g.kernel[0] * g.kernel[1];
    const Pixels x{0, between(1, 2), between(1, 6), between(1, 6), C, gap};
    const Pixels y{x.end(), x.B, between(1, 5), between(1, 5), C, between(0, 1)};
    const size_t w = y.end(), bias = w + taps * C * 4, scales = bias + C * 4;
    const bool hasBias = between(0, 1), clips = between(0, 1), isInt8 = between(0, 1);
    Numbers numbers;
    add(numbers, g);
    numbers.insert(numbers.end(), {clips ? clip : -1, -20, 30});
    add(numbers, x.operand());
    add(numbers, Operand{Element::float32, Region::io, w, {g.kernel[0], g.kernel[1], C}});
    const auto perChannel = [&](bool isThere, size_t at) {
      if (isThere)
        add(numbers, Operand{Element::float32, Region::io, at, {C}});
      else
        numbers.push_back(-1);
    };
    perChannel(hasBias, bias);
    perChannel(isInt8, scales);
    add(numbers, y.operand());
    Source source;
    source.ioBytes = scales + C * 4;
    source.instructions = {withHead(Opcode::depthwise, numbers)};
    runEverywhere(source, [&](const float* io) {
      for (size_t b = 0; b < y.B; b++)
        for (size_t h = 0; h < y.H; h++)
          for (size_t v = 0; v < y.W; v++)
            for (size_t c = 0; c < C; c++) {
              std::vector<float> inputs, weights;
              for (size_t i = 0; i < g.kernel[0]; i++)
                for (size_t k = 0; k < g.kernel[1]; k++) {
                  const ptrdiff_t row = place(g, 0, h, i, x.H), column = place(g, 1, v, k, x.W);
                  if (row >= 0 && column >= 0) {
                    inputs.push_back(io[x.at(b, size_t(row), size_t(column), c)]);
                    weights.push_back(io[w / 4 + (i * g.kernel[1] + k) * C + c]);
                  }
                }
              float size = 0, sum = 0;
              for (const float one : inputs)
                size = std::fmax(size, std::fabs(one));
              const float scale = isInt8 ? size / 127 : 1;
              for (size_t i = 0; i < inputs.size() && scale > 0; i++)
                sum += (isInt8 ? std::nearbyint(inputs[i] / scale) : inputs[i]) * weights[i];
              const double exact =
                  double(isInt8 ? io[scales / 4 + c] * scale : 1) * sum + (hasBias ? io[bias / 4 + c] : 0);
              const double clipped = clips ? std::fmin(30, std::fmax(-20, exact)) : exact;
              CHECK(std::fabs(io[y.at(b, h, v, c)] - clipped) <= (isInt8 ? 2e-7 * (1 + std::fabs(exact)) : 0));
            }
    });
  }
}

void convTranspose() {
  for (int round = 0; round < 150; round++) {
    const Geometry g = randomGeometry();
    const size_t groups = between(1, 3), inputs = between(1, 5), outputs = between(1, 9);
    const size_t taps = g.kernel[0] * g.kernel[1], N = taps * outputs, C = groups * outputs;
    const Pixels x{0, between(1, 2), between(1, 3), round % 10 ? between(1, 5) : 40, groups * inputs, between(0, 1)};
    const Pixels y{x.end(), x.B, between(1, 9), between(1, 9), C, between(0, 1)};
    const size_t bias = y.end();
    const bool hasBias = between(0, 1), clips = between(0, 1);
    Numbers numbers{0, double(groups), double(inputs), double(N)};
    add(numbers, g);
    numbers.insert(numbers.end(), {clips ? clip : -1, -20, 30});
    add(numbers, x.operand());
    if (hasBias)
      add(numbers, Operand{Element::float32, Region::io, bias, {C}});
    else
      numbers.push_back(-1);
    add(numbers, y.operand());
    Source source;
    source.ioBytes = bias + C * 4;
    source.instructions = {withHead(Opcode::convTranspose, numbers)};
    for (size_t i = 0; i < groups; i++) {
      std::vector<float> weights = wholeNumbers(N * inputs, unsigned(round * 3 + i));
      weights.resize(N * inputs + N); // no biases
      source.weights.push_back(weights);
      source.sizes.push_back({inputs, N});
    }
    runEverywhere(source, [&](const float* io) {
      std::vector<float> sums(y.end() / 4);
      for (size_t i = 0; i < sums.size(); i++)
        sums[i] = 0;
      for (size_t b = 0; b < y.B; b++)
        for (size_t h = 0; h < x.H; h++)
          for (size_t v = 0; v < x.W; v++)
            for (size_t c = 0; c < C; c++)
              for (size_t i = 0; i < g.kernel[0]; i++)
                for (size_t k = 0; k < g.kernel[1]; k++) {
                  const ptrdiff_t row = place(g, 0, h, i, y.H), column = place(g, 1, v, k, y.W);
                  const size_t group = c / outputs, n = (i * g.kernel[1] + k) * outputs + c % outputs;
                  for (size_t in = 0; in < inputs && row >= 0 && column >= 0; in++)
                    sums[y.at(b, size_t(row), size_t(column), c)] +=
                        io[x.at(b, h, v, group * inputs + in)] * source.weights[group][n * inputs + in];
                }
      for (size_t b = 0; b < y.B; b++)
        for (size_t h = 0; h < y.H; h++)
          for (size_t v = 0; v < y.W; v++)
            for (size_t c = 0; c < C; c++) {
              const float sum = sums[y.at(b, h, v, c)] + (hasBias ? io[bias / 4 + c] : 0);
              CHECK(io[y.at(b, h, v, c)] == (clips ? std::fmin(30, std::fmax(-20, sum)) : sum));
            }
    });
  }
}

void pool() {
  for (int round = 0; round < 200; round++) {
    const Geometry g = randomGeometry();
    const PoolKind kind = PoolKind(round % 3);
    const size_t C = between(1, 19);
    const Pixels x{0, between(1, 2), between(1, 6), between(1, 6), C, between(0, 1)};
    const Pixels y{x.end(), x.B, between(1, 5), between(1, 5), C, between(0, 1)};
    Numbers numbers{double(kind)};
    add(numbers, g);
    numbers.insert(numbers.end(), g.after, g.after + 2);
    add(numbers, x.operand());
    add(numbers, y.operand());
    Source source;
    source.ioBytes = y.end();
    source.instructions = {withHead(Opcode::pool, numbers)};
    const auto counts = [&](size_t axis, size_t window, size_t tap, size_t size) {
      return window * g.stride[axis] + tap * g.dilation[axis] < g.pad[axis] + size + g.after[axis];
    };
    runEverywhere(source, [&](const float* io) {
      for (size_t b = 0; b < y.B; b++)
        for (size_t h = 0; h < y.H; h++)
          for (size_t v = 0; v < y.W; v++)
            for (size_t c = 0; c < C; c++) {
              float sum = 0, largest = -INFINITY;
              size_t inside = 0, counted = 0;
              for (size_t i = 0; i < g.kernel[0]; i++)
                for (size_t k = 0; k < g.kernel[1]; k++) {
                  counted += counts(0, h, i, x.H) && counts(1, v, k, x.W);
                  const ptrdiff_t row = place(g, 0, h, i, x.H), column = place(g, 1, v, k, x.W);
                  if (row < 0 || column < 0)
                    continue;
                  const float value = io[x.at(b, size_t(row), size_t(column), c)];
                  inside++, sum += value, largest = std::fmax(largest, value);
                }
              const size_t count = kind == PoolKind::average ? inside : counted;
              CHECK(io[y.at(b, h, v, c)] == (kind == PoolKind::max ? largest : inside ? sum / float(count) : 0));
            }
    });
  }
}

// Sound numbers are accepted, and each of them made wrong is refused.
void refuses(const Kernels& kernels) {
  const Operand x{Element::float32, Region::io, 0, {1, 4, 4, 2}}, y{Element::float32, Region::io, 128, {1, 2, 2, 2}};
  const Operand w{Element::float32, Region::io, 160, {3, 3, 2}}, bias{Element::float32, Region::io, 232, {2}};
  const Operand wide{Element::float32, Region::io, 128, {1, 9, 9, 2}};
  const Numbers window{3, 3, 1, 1, 1, 1, 0, 0};
  Source source;
  source.ioBytes = 1024;
  source.weights = {std::vector<float>(18 * 2 + 18)};
  source.sizes = {{2, 18}};
  const auto accepts = [&](Opcode opcode, const Numbers& numbers) {
    source.instructions = {withHead(opcode, numbers)};
    try {
      Built(source, kernels);
      return true;
    } catch (const std::invalid_argument&) {
      return false;
    }
  };
  const auto join = [](const std::vector<Numbers>& parts) {
    Numbers all;
    for (const Numbers& part : parts)
      all.insert(all.end(), part.begin(), part.end());
    return all;
  };
  const auto of = [](Operand operand, size_t axis, size_t size, ptrdiff_t stride = 0) {
    operand.sizes[axis] = size;
    if (stride) {
      operand.strides = {32, 8, 2, 1};
      operand.strides[axis] = stride;
    }
    return numbersOf(operand);
  };
  const Numbers none{-1, 0, 0}, X = numbersOf(x), Y = numbersOf(y), Wt = numbersOf(w), Bias = numbersOf(bias),
                                Wide = numbersOf(wide);
  const double bad[] = {NAN, INFINITY, -1, 0.5, 1e300, -1e300, 4294967296.0 * 16777216};

  const auto depthwise = [&](const std::vector<Numbers>& parts) { return accepts(Opcode::depthwise, join(parts)); };
  CHECK(depthwise({window, none, X, Wt, Bias, {-1}, Y}));
  CHECK(depthwise({window, none, X, Wt, Bias, Bias, Y}));
  CHECK(depthwise({window, none, X, Wt, {-1}, {-1}, Y}));
  CHECK(!depthwise({window, none, X, Wt, Bias, {-1}}));
  CHECK(!depthwise({window, none, X, Wt, Bias, {-1}, Y, {0}}));
  CHECK(!depthwise({window, none, of(x, 3, 1), Wt, Bias, {-1}, Y}));
  CHECK(!depthwise({window, none, of(x, 3, 2, 2), Wt, Bias, {-1}, Y})); // channels apart
  CHECK(!depthwise({window, none, X, Wt, Bias, {-1}, of(y, 3, 2, 3)}));
  CHECK(!depthwise({window, none, X, of(w, 0, 2), Bias, {-1}, Y}));
  CHECK(!depthwise({window, none, X, of(w, 1, 2), Bias, {-1}, Y}));
  CHECK(!depthwise({window, none, X, of(w, 2, 1), Bias, {-1}, Y}));
  CHECK(!depthwise({window, none, X, Wt, of(bias, 0, 1), {-1}, Y}));
  CHECK(!depthwise({window, none, X, Wt, Bias, of(bias, 0, 1), Y}));
  CHECK(!depthwise({window, none, X, X, Bias, {-1}, Y}));
  CHECK(!depthwise({window, none, X, Wt, Bias, {-1}, of(y, 0, 2)}));
  CHECK(!depthwise({window, {double(MapFunction::logicalNot), 0, 0}, X, Wt, Bias, {-1}, Y}));
  CHECK(!depthwise({window, {99, 0, 0}, X, Wt, Bias, {-1}, Y}));
  CHECK(!depthwise({window, none, X, Wt, Bias, {-1}, of(y, 1, size_t(1) << 33, 0)}));
  const auto convTranspose = [&](const std::vector<Numbers>& parts) {
    return accepts(Opcode::convTranspose, join(parts));
  };
  CHECK(convTranspose({{0, 1, 2, 18}, window, none, X, Bias, Wide}));
  CHECK(!convTranspose({{1, 1, 2, 18}, window, none, X, Bias, Wide})); // no such memory
  CHECK(!convTranspose({{0, 2, 1, 9}, window, none, X, Bias, Wide}));  // nor a second one
  CHECK(!convTranspose({{0, 1, 2, 16}, window, none, X, Bias, Wide}));
  CHECK(!convTranspose({{0, 1, 1, 18}, window, none, X, Bias, Wide}));
  CHECK(!convTranspose({{0, 1, 4096, 18}, window, none, of(x, 3, 4096), Bias, Wide}));
  CHECK(!convTranspose({{0, 1, 2, 18}, window, none, X, of(bias, 0, 1), Wide}));
  CHECK(!convTranspose({{0, 1, 2, 18}, window, none, of(x, 3, 2, 2), Bias, Wide}));
  const auto pool = [&](const std::vector<Numbers>& parts) { return accepts(Opcode::pool, join(parts)); };
  CHECK(pool({{0}, window, {0, 0}, X, Y}));
  CHECK(!pool({{3}, window, {0, 0}, X, Y}));
  CHECK(!pool({{0}, window, {0, 0}, X, of(y, 3, 1)}));
  CHECK(!pool({{0}, window, {0, 0}, of(x, 0, 2), Y}));
  CHECK(!pool({{0}, window, {0}, X, Y}));
  for (size_t i = 0; i < window.size(); i++)
    for (const double number : bad) {
      Numbers wrong = window;
      wrong[i] = number;
      // A half is cut to a whole number, which may be one that is allowed.
      if (number == 0.5 && i >= 6)
        continue;
      CHECK(!depthwise({wrong, none, X, Wt, Bias, {-1}, Y}));
      CHECK(!convTranspose({{0, 1, 2, 18}, wrong, none, X, Bias, Wide}));
      CHECK(!pool({{0}, wrong, {0, 0}, X, Y}));
    }
  for (const double number : {double(NAN), -1.0, 1e300})
    CHECK(!pool({{0}, window, {number, 0}, X, Y}) && !pool({{0}, window, {0, number}, X, Y}));
}

// The largest numbers that are allowed meet no value, and touch none.
void meetsNothingFarAway(const Kernels& kernels) {
  const double far = 16777216;
  Numbers numbers{0, 1, 1, far, far, far, far, far, far, 0, 0};
  add(numbers, Operand{Element::float32, Region::io, 0, {1, 2, 2, 1}});
  add(numbers, Operand{Element::float32, Region::io, 16, {1, 2, 2, 1}});
  Source source;
  source.ioBytes = 32;
  source.instructions = {withHead(Opcode::pool, numbers)};
  Built built(source, kernels);
  built.io.at<float>()[0] = 5;
  CHECK(built.run() == Program::done);
  for (size_t i = 4; i < 8; i++)
    CHECK(built.io.at<float>()[i] == (i == 7 ? 5 : -INFINITY)); // the second window begins at the first value
}

} // namespace

int main() {
  depthwise();
  convTranspose();
  pool();
  for (const Kernels* kernels : tablesHere()) {
    refuses(*kernels);
    meetsNothingFarAway(*kernels);
  }
  return unit::end();
}
