// The functions over plain arrays of every table that runs here: near double precision, the same bits on all fused
// tables and at every place of an array, nothing touched beyond it. `op_kernels_test [floats from one sample to the
// next]`
#include "kernels/dispatch.h"
#include "unit.h"
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

using namespace native_rnn;
using Floats = std::vector<float>;

extern const OpKernels fusedPortableOps;
extern const bool isPortableFused;

namespace {

struct Table {
  std::string name;
  const OpKernels* ops;
  bool fused;
};
std::vector<Table> tables;
std::mt19937 generator(7);

uint32_t bitsOf(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return std::isnan(x) ? 0x7fc00000u : bits; // which NaN it is, nobody promises
}
float floatOf(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}
bool same(const Floats& a, const Floats& b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](float x, float y) { return bitsOf(x) == bitsOf(y); });
}
void fail(const std::string& what, const std::string& table) {
  if (++unit::failures < 30)
    std::printf("FAIL %s on %s\n", what.c_str(), table.c_str());
}

Floats randoms(size_t n, float scale = 4) {
  std::uniform_real_distribution<float> uniform(-scale, scale);
  Floats x(n);
  for (float& v : x)
    v = uniform(generator);
  return x;
}

// How many floats lie between a result and the exact one.
double ulps(float got, double exact) {
  if (std::isnan(exact) || std::isnan(got))
    return std::isnan(exact) && std::isnan(got) ? 0 : INFINITY;
  const float nearest = float(exact);
  if (std::isinf(nearest) || std::isinf(got))
    return got == nearest || (std::isinf(nearest) && std::fabs(got) >= 3.4028232e38f) ? 0 : INFINITY;
  const int exponent = std::max(std::ilogb(nearest == 0 ? 1e-45f : nearest), -126);
  return std::fabs(double(got) - exact) / std::ldexp(1.0, exponent - 23);
}

struct Function {
  MapFunction kind;
  const char* name;
  double bound;      // in ULP; 0: exact
  double plainBound; // where multiply-adds are not fused
  std::function<double(double)> exact;
  float alpha = 0, beta = 0;
};

double sigmoidOf(double x) { return 1 / (1 + std::exp(-x)); }

const std::vector<Function> functions = {
    {MapFunction::tanh, "tanh", 2, 2.5, [](double x) { return std::tanh(x); }},
    {MapFunction::sigmoid, "sigmoid", 2, 3, sigmoidOf},
    {MapFunction::relu, "relu", 0, 0, [](double x) { return x < 0 ? 0 : x; }},
    {MapFunction::elu, "elu", 3, 3, [](double x) { return x < 0 ? 0.7f * std::expm1(x) : x; }, 0.7f},
    {MapFunction::softplus, "softplus", 3, 3,
     [](double x) { return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x))); }},
    {MapFunction::abs, "abs", 0, 0, [](double x) { return std::fabs(x); }},
    {MapFunction::neg, "neg", 0, 0, [](double x) { return -x; }},
    {MapFunction::sign, "sign", 0, 0, [](double x) { return x > 0   ? 1
                                                            : x < 0 ? -1
                                                                    : x; }},
    {MapFunction::ceil, "ceil", 0, 0, [](double x) { return std::ceil(x); }},
    {MapFunction::floor, "floor", 0, 0, [](double x) { return std::floor(x); }},
    {MapFunction::round, "round", 0, 0, [](double x) { return std::nearbyint(x); }},
    {MapFunction::sqrt, "sqrt", 0.5, 0.5, [](double x) { return std::sqrt(x); }},
    {MapFunction::reciprocal, "reciprocal", 0.5001, 0.5001, [](double x) { return 1 / x; }},
    {MapFunction::exp, "exp", 2, 2, [](double x) { return std::exp(x); }},
    {MapFunction::log, "log", 2, 2, [](double x) { return std::log(x); }},
    {MapFunction::erf, "erf", 4, 4, [](double x) { return std::erf(x); }},
    {MapFunction::sin, "sin", 2, 2, [](double x) { return std::sin(x); }},
    {MapFunction::cos, "cos", 2, 2, [](double x) { return std::cos(x); }},
    {MapFunction::gelu, "gelu", 8, 400,
     [](double x) { return std::isinf(x) && x < 0 ? 0 : 0.5 * x * std::erfc(-x / std::sqrt(2.0)); }},
    {MapFunction::geluTanh, "geluTanh", 6, 400,
     [](double x) {
       return std::isinf(x) && x < 0 ? 0 : x * sigmoidOf(2 * std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x));
     }},
    {MapFunction::hardSwish, "hardSwish", 3, 3, [](double x) { return x * std::fmin(std::fmax(x / 6 + 0.5, 0), 1); }},
    {MapFunction::selu, "selu", 3, 3, [](double x) { return 1.05070102f * (x < 0 ? 1.67326319f * std::expm1(x) : x); },
     1.67326319f, 1.05070102f},
    {MapFunction::clip, "clip", 0, 0, [](double x) { return x < -1.5  ? -1.5
                                                            : x > 2.5 ? 2.5
                                                                      : x; }, -1.5f, 2.5f},
};

void isNearDoublePrecision(uint32_t step) {
  Floats x;
  for (uint64_t bits = 0; bits < 1ull << 32; bits += step)
    x.push_back(floatOf(uint32_t(bits)));
  for (const float special :
       {0.0f, -0.0f, INFINITY, -INFINITY, NAN, 1e-45f, -1e-45f, 1.0f, 0.5f, -0.5f, 1.5f, 2.5f, 8192.0f, 8388607.5f})
    x.push_back(special);
  for (const Function& f : functions)
    for (const Table& table : tables) {
      Floats y(x.size());
      table.ops->map[size_t(f.kind)](x.data(), y.data(), x.size(), f.alpha, f.beta);
      double worst = 0;
      float at = 0;
      for (size_t i = 0; i < x.size(); i++) {
        const double exact = f.exact(x[i]);
        const double off = ulps(y[i], exact);
        if (off > worst)
          worst = off, at = x[i];
        if (y[i] == 0 && exact == 0 && std::signbit(y[i]) != std::signbit(exact) && f.bound == 0)
          fail(std::string("sign of zero of ") + f.name, table.name);
      }
      std::printf("%-10s %-9s %.3f ULP at %.9g\n", f.name, table.name.c_str(), worst, at);
      if (!(worst <= (table.fused ? f.bound : f.plainBound)))
        fail(std::string("accuracy of ") + f.name, table.name);
    }
}

// What a kernel gives on every table, in the order of `tables`, is the same on the fused ones.
void fusedAgree(const std::string& what, const std::vector<Floats>& results) {
  const Floats* first = nullptr;
  for (size_t t = 0; t < tables.size(); t++)
    if (tables[t].fused) {
      if (first && !same(*first, results[t]))
        fail("bits of " + what, tables[t].name);
      first = &results[t];
    }
}

// One call of each function of `n` numbers; `at` shifts the arrays out of alignment.
void isTheSameEverywhere() {
  const Floats x = [] {
    Floats some = randoms(1000, 20);
    const Floats near = randoms(1000, 1), far = randoms(200, 1e6f);
    some.insert(some.end(), near.begin(), near.end());
    some.insert(some.end(), far.begin(), far.end());
    for (const float special : {0.0f, -0.0f, INFINITY, -INFINITY, NAN, 1e-40f, -1e-40f, 3e38f})
      some.push_back(special);
    return some;
  }();
  for (const Function& f : functions) {
    std::vector<Floats> results;
    for (const Table& table : tables) {
      const auto map = table.ops->map[size_t(f.kind)];
      Floats whole(x.size());
      map(x.data(), whole.data(), x.size(), f.alpha, f.beta);
      results.push_back(whole);
      for (size_t n = 0; n < 40; n++) {
        const size_t from = generator() % (x.size() - n);
        Floats y(n + 2, 77);
        std::copy_n(x.begin() + from, n, y.begin() + 1);
        map(y.data() + 1, y.data() + 1, n, f.alpha, f.beta);
        if (y[0] != 77 || y[n + 1] != 77 ||
            !same(Floats(y.begin() + 1, y.end() - 1), Floats(whole.begin() + from, whole.begin() + from + n)))
          fail("place of " + std::string(f.name), table.name);
      }
    }
    fusedAgree(f.name, results);
  }
}

double compared(ZipFunction f, double a, double b) {
  switch (f) {
  case ZipFunction::equal:
    return a == b;
  case ZipFunction::less:
    return a < b;
  case ZipFunction::lessOrEqual:
    return a <= b;
  case ZipFunction::greater:
    return a > b;
  default:
    return a >= b;
  }
}
double zipOf(ZipFunction f, float a, float b) {
  switch (f) {
  case ZipFunction::add:
    return double(a) + b;
  case ZipFunction::sub:
    return double(a) - b;
  case ZipFunction::mul:
    return double(a) * b;
  case ZipFunction::div:
    return double(a) / b;
  case ZipFunction::pow:
    return std::pow(double(a), double(b));
  case ZipFunction::fmod:
    return std::fmod(double(a), double(b));
  case ZipFunction::min:
    return std::isnan(a) || std::isnan(b) ? NAN : std::fmin(a, b);
  case ZipFunction::max:
    return std::isnan(a) || std::isnan(b) ? NAN : std::fmax(a, b);
  default:
    return a < 0 ? double(a) * b : double(a);
  }
}

// Every pair of specials, whole numbers and random ones, in the three ways to give operands.
void combinesTwoNumbers() {
  Floats values = {0.0f,     -0.0f,    1,         -1,        2,   -2,     3,           -3,
                   0.5f,     -0.5f,    INFINITY,  -INFINITY, NAN, 1e-45f, -1e-40f,     3.4e38f,
                   16777216, 16777215, -16777215, 1e10f,     7,   0.1f,   -1.0000001f, 0.99999994f};
  for (const float scale : {3.0f, 100.0f, 1e-20f, 1e20f})
    for (const float v : randoms(12, scale))
      values.push_back(v);
  Floats a, b;
  for (const float x : values)
    for (const float y : values)
      a.push_back(x), b.push_back(y);
  for (size_t f = 0; f < zipFunctions; f++) {
    const auto kind = ZipFunction(f);
    const bool compares = kind >= ZipFunction::equal;
    if (!compares && !tables[0].ops->zip[f][0])
      continue;
    std::vector<Floats> results;
    for (const Table& table : tables) {
      const auto run = [&](Operands way, const float* p, const float* q, size_t n) {
        Floats y(n + 1, 77);
        if (compares) {
          std::vector<uint8_t> bytes(n + 1, 77);
          table.ops->compare[f - size_t(ZipFunction::equal)][size_t(way)](p, q, bytes.data(), n);
          std::copy(bytes.begin(), bytes.end(), y.begin());
        } else {
          table.ops->zip[f][size_t(way)](p, q, y.data(), n);
        }
        CHECK(y[n] == 77);
        y.pop_back();
        return y;
      };
      const Floats y = run(Operands::both, a.data(), b.data(), a.size());
      results.push_back(y);
      double worst = 0;
      for (size_t i = 0; i < y.size(); i++) {
        const double exact = compares ? compared(kind, a[i], b[i]) : zipOf(kind, a[i], b[i]);
        // A cube is two products: half of the last place of a square, up to twice as much in that of the cube, and half
        // of its own.
        const double cube = kind == ZipFunction::pow && b[i] == 3 ? 1.5 : 1;
        worst = std::max(worst, ulps(y[i], exact) / cube);
        if (kind == ZipFunction::pow && exact == 0 && std::signbit(y[i]) != std::signbit(exact))
          fail("sign of a power that is 0", table.name);
        // One of the operands alone, of any number of the other.
        if (i % 7 == 0) {
          const size_t n = std::min<size_t>(1 + i % 29, y.size() - i);
          const Floats oneA = run(Operands::oneA, &a[i], &b[i], n), oneB = run(Operands::oneB, &a[i], &b[i], n);
          const Floats sameA = run(Operands::both, Floats(n, a[i]).data(), &b[i], n);
          const Floats sameB = run(Operands::both, &a[i], Floats(n, b[i]).data(), n);
          if (!same(oneA, sameA) || !same(oneB, sameB))
            fail("one operand of function " + std::to_string(f), table.name);
        }
      }
      if (!(worst <= (kind == ZipFunction::pow ? 1 : 0.5001)))
        fail("accuracy of function " + std::to_string(f) + ": " + std::to_string(worst), table.name);
    }
    fusedAgree("function " + std::to_string(f), results);
  }
}

double reductionOf(Reduction kind, const float* x, size_t n) {
  double sum = 0, product = 1, size = 0, squares = 0, largest = -INFINITY, smallest = INFINITY, exps = 0;
  for (size_t i = 0; i < n; i++) {
    sum += x[i], product *= x[i], size += std::fabs(x[i]), squares += double(x[i]) * x[i], exps += std::exp(x[i]);
    largest = std::isnan(x[i]) || std::isnan(largest) ? NAN : std::max<double>(largest, x[i]);
    smallest = std::isnan(x[i]) || std::isnan(smallest) ? NAN : std::min<double>(smallest, x[i]);
  }
  const double all[reductions] = {sum,     sum / n,       largest, smallest, product, size, std::sqrt(squares),
                                  squares, std::log(exps)};
  return all[size_t(kind)];
}

bool isNear(double got, double exact, double scale) {
  return std::isnan(exact) ? std::isnan(got) : got == exact || std::fabs(got - exact) <= 1e-6 * scale;
}

void reducesInOneOrder() {
  for (const size_t n : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 100, 1000, 4099})
    for (int special = 0; special < 4; special++) {
      Floats x = randoms(n + 1, 1.2f);
      if (special)
        x[1 + generator() % n] = special == 1 ? NAN : special == 2 ? INFINITY : -INFINITY;
      std::vector<Floats> results;
      for (const Table& table : tables) {
        Floats all;
        for (size_t kind = 0; kind < reductions; kind++) {
          const double exact = reductionOf(Reduction(kind), x.data() + 1, n);
          all.push_back(table.ops->reduce[kind](x.data() + 1, n));
          // Products of many leave what a float can hold.
          if (!(Reduction(kind) == Reduction::prod && n > 100) &&
              !isNear(all[kind], exact, Reduction(kind) == Reduction::prod ? 4 * std::fabs(exact) * n : 1 + n / 8.0))
            fail("reduction " + std::to_string(kind) + " of " + std::to_string(n), table.name);
        }
        results.push_back(all);
      }
      fusedAgree("reductions of " + std::to_string(n), results);
    }
}

void foldsRows() {
  const size_t n = 21, rows = 6;
  const Floats x = randoms(n * rows);
  for (size_t kind = 0; kind < reductions; kind++) {
    std::vector<Floats> results;
    for (const Table& table : tables) {
      CHECK((table.ops->fold[kind] == nullptr) == (Reduction(kind) == Reduction::logSumExp));
      if (!table.ops->fold[kind])
        continue;
      Floats total(n + 1, NAN);
      total[n] = 77;
      for (size_t r = 0; r < rows; r++)
        table.ops->fold[kind](x.data() + r * n, total.data(), n, r == 0);
      CHECK(total[n] == 77);
      for (size_t i = 0; i < n; i++) {
        Floats column;
        for (size_t r = 0; r < rows; r++)
          column.push_back(x[r * n + i]);
        const Reduction part = Reduction(kind) == Reduction::mean ? Reduction::sum
                               : Reduction(kind) == Reduction::l2 ? Reduction::sumSquare
                                                                  : Reduction(kind);
        const double exact = reductionOf(part, column.data(), rows);
        CHECK(isNear(total[i], exact, 4 + std::fabs(exact)));
      }
      results.push_back(total);
    }
    if (!results.empty())
      fusedAgree("folding " + std::to_string(kind), results);
  }
}

void normalisesRows() {
  for (const size_t n : {1, 2, 5, 8, 15, 16, 17, 40, 513}) {
    Floats x = randoms(n, 9);
    const Floats scale = randoms(n), bias = randoms(n);
    for (float& v : x)
      v += 30;
    double largest = -INFINITY, sum = 0, mean = 0, variance = 0;
    for (const float v : x)
      largest = std::max<double>(largest, v), mean += double(v) / n;
    for (const float v : x)
      sum += std::exp(v - largest), variance += (v - mean) * (v - mean) / n;
    std::vector<Floats> results;
    for (const Table& table : tables) {
      Floats soft(n + 1, 77), logSoft = soft, plain = soft, whole = soft, inPlace = x;
      table.ops->softmax(x.data(), soft.data(), n, false);
      table.ops->softmax(x.data(), logSoft.data(), n, true);
      table.ops->norm(x.data(), nullptr, nullptr, plain.data(), n, 1e-5f);
      table.ops->norm(x.data(), scale.data(), bias.data(), whole.data(), n, 1e-5f);
      table.ops->softmax(inPlace.data(), inPlace.data(), n, false);
      CHECK(same(inPlace, Floats(soft.begin(), soft.end() - 1)));
      for (size_t i = 0; i < n; i++) {
        const double deviation = std::sqrt(variance + double(1e-5f)), z = (x[i] - mean) / deviation;
        const double digits = 4 + 60 / deviation; // of a mean near 30
        CHECK(isNear(soft[i], std::exp(x[i] - largest) / sum, 1));
        CHECK(isNear(logSoft[i], x[i] - largest - std::log(sum), 4));
        CHECK(isNear(plain[i], z, digits));
        CHECK(isNear(whole[i], z * scale[i] + bias[i], 4 * digits));
      }
      CHECK(soft[n] == 77 && logSoft[n] == 77 && plain[n] == 77 && whole[n] == 77);
      for (const Floats& more : {logSoft, plain, whole})
        soft.insert(soft.end(), more.begin(), more.end());
      results.push_back(soft);
    }
    fusedAgree("rows of " + std::to_string(n), results);
  }
}

void multipliesMatrices() {
  for (int round = 0; round < 300; round++) {
    const size_t M = 1 + generator() % 11, K = 1 + generator() % 20, N = 1 + generator() % 50;
    const bool transposed = generator() % 2, backwards = generator() % 2;
    const size_t gap = generator() % 3;
    const Floats a = randoms(M * (K + gap)), b = randoms(K * (N + gap));
    const ptrdiff_t bRow = backwards ? -ptrdiff_t(N + gap) : ptrdiff_t(N + gap);
    MatmulArgs args{};
    args.M = M, args.K = K, args.N = N, args.alpha = round % 3 ? 1.0f : 0.125f;
    args.a = a.data(), args.aRow = ptrdiff_t(transposed ? 1 : K), args.aK = ptrdiff_t(transposed ? M : 1);
    args.b = backwards ? b.data() + (K - 1) * (N + gap) : b.data(), args.bRow = bRow;
    std::vector<Floats> results;
    for (const Table& table : tables) {
      Floats y(M * (N + 1) + 1, 77);
      args.y = y.data(), args.yRow = ptrdiff_t(N + 1);
      table.ops->matmul(args);
      for (size_t m = 0; m < M; m++) {
        for (size_t n = 0; n < N; n++) {
          double exact = 0;
          for (size_t k = 0; k < K; k++)
            exact += double(a[m * args.aRow + k * args.aK]) * args.b[ptrdiff_t(k) * bRow + ptrdiff_t(n)];
          CHECK(isNear(y[m * (N + 1) + n], args.alpha * exact, 100));
        }
        CHECK(y[m * (N + 1) + N] == 77);
      }
      results.push_back(y);
    }
    fusedAgree("a product", results);
  }
}

void convolvesChannels() {
  for (const size_t C : {1, 3, 4, 8, 11, 16, 37}) {
    const Floats x = randoms(5 * 7 * C), w = randoms(9 * C), bias = randoms(C);
    for (const bool hasBias : {false, true}) {
      std::vector<Floats> results;
      for (const Table& table : tables) {
        Floats y(C + 1, 77);
        const auto size = [&](size_t n) { return ptrdiff_t(n * C); };
        table.ops->depthwise({3, 2, C, x.data(), size(7), size(2), w.data(), size(3), size(1),
                              hasBias ? bias.data() : nullptr, y.data()});
        for (size_t c = 0; c < C; c++) {
          double exact = hasBias ? bias[c] : 0;
          for (size_t i = 0; i < 3; i++)
            for (size_t j = 0; j < 2; j++)
              exact += double(x[(i * 7 + j * 2) * C + c]) * w[(i * 3 + j) * C + c];
          CHECK(isNear(y[c], exact, 16));
        }
        CHECK(y[C] == 77);
        results.push_back(y);
      }
      fusedAgree("a depthwise pixel", results);
    }
  }
}

// Two taps of a channel: the larger becomes ±127, the sum is exact, and what is not a number stays none.
void convolvesChannelsInInt8() {
  const float most = std::numeric_limits<float>::infinity();
  const float cases[][3] = {{127, -2, 8}, {-127, 3, 8}, {0, 0, 8}, {most, 1, NAN}, {NAN, 1, NAN}, {1, -most, NAN}};
  constexpr size_t C = 21;
  for (const Table& table : tables) {
    Floats x(2 * C), w(2 * C), scales(C, 0.5f), bias(C, 8), y(C + 1, 77), wanted(C);
    for (size_t c = 0; c < C; c++) {
      const auto& [first, second, none] = cases[c % 6];
      x[c] = first, x[C + c] = second;
      w[c] = float(c), w[C + c] = -127;
      wanted[c] = first - first == 0 && second - second == 0 ? 8 + 0.5f * (first * w[c] + second * w[C + c]) : none;
    }
    table.ops->depthwiseInt8({1, 2, C, x.data(), 0, C, w.data(), 0, C, bias.data(), y.data(), scales.data()});
    for (size_t c = 0; c < C; c++)
      CHECK(y[c] == wanted[c] || (y[c] != y[c] && wanted[c] != wanted[c]));
    CHECK(y[C] == 77);
  }
}

} // namespace

int main(int argc, char** argv) {
  size_t count;
  const Kernels* const* all = kernelTables(count);
  for (size_t i = 0; i < count; i++)
    if (runsHere(*all[i]))
      tables.push_back({all[i]->name, &all[i]->ops, all[i]->fused});
  if (isPortableFused)
    tables.push_back({"fused", &fusedPortableOps, true});
  isNearDoublePrecision(argc > 1 ? uint32_t(std::atoi(argv[1])) : 4093);
  isTheSameEverywhere();
  combinesTwoNumbers();
  reducesInOneOrder();
  foldsRows();
  normalisesRows();
  multipliesMatrices();
  convolvesChannels();
  convolvesChannelsInInt8();
  return unit::end();
}
