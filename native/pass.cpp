// A pass cuts time into chunks whose input sums are computed ahead.
#include "pass.h"
#include "cpu.h"
#include <algorithm>
#include <cstring>

namespace native_rnn {
namespace {

// Input sums computed ahead: a few groups of rows, little enough to leave the cache to the weights.
constexpr size_t sumsFloats = 32768;
constexpr size_t sumsRows = 64;

// Floats of weights that any first-level cache holds: below, a step gains nothing from turning around.
constexpr size_t worthTurning = 6144;

// Multiplications that a crew does between two looks at who is there.
constexpr size_t worthMeeting = size_t(1) << 20;

// Steps whose input sums are computed at once before those of others are made beside them: a tile of fewer rows is
// slow.
constexpr size_t leastFirst = 3;

// Floats of a step's output that a processor cannot write at once without waiting for memory: results mostly lie in no
// cache.
constexpr size_t worthFetching = 512, worthFetchingOne = 64;

// Whether a single row's steps should take tiles of later input sums along: where its weights pass the first-level
// cache (several blocks), but lie in a cache, of which others may use a good part: a tile's weights do not lie in a
// row, which is slow from main memory. And what of a tile is longer than the recurrent sums beside it is alone, and
// slow.
bool aheadPays(const Product& input, const Product& first, size_t weightBytes) {
  const bool beyondFirstLevel = first.blocks - first.half > 1 && first.partials == 0;
  return beyondFirstLevel && weightBytes <= dataCaches().last / 4 && input.K <= 4 * first.K;
}

// State rows are one line longer than they need, so that rows do not compete for the same cache sets.
size_t rowFloats(size_t units, size_t lanes) { return aligned(roundUp(units, lanes)) + 16; }

// Rows of input sums that a pass keeps; never falls as B grows.
size_t keptSums(size_t B, size_t T, size_t packedRow) {
  return std::min(T * B, std::max({B, sumsRows, sumsFloats / packedRow}));
}

// What a pass keeps in its memory, in this order; one list for its size and for its pointers.
template <class Take>
void arrange(const Layer& layer, size_t B, size_t sums, size_t gathered, size_t packedRow, size_t widestBlock,
             size_t lanes, const Take& take) {
  const size_t unitRow = rowFloats(layer.units(), lanes), outputRow = rowFloats(layer.outputs(), lanes);
  take(0, B * outputRow);
  take(1, B * outputRow);
  take(2, B * unitRow);
  take(3, B * unitRow);
  take(4, B * unitRow);
  take(5, sums * packedRow);
  take(6, gathered * layer.inputs());
  take(7, carryRows * widestBlock);
  take(8, B * sizeof(float*) / sizeof(float));
}

size_t widestBlock(const Kernels& kernels) {
  size_t most = 0;
  for (size_t G = 1; G <= 4; G++)
    for (size_t partials = 0; partials < 2; partials++)
      most = std::max(most, G * kernels.panels[G - 1][partials].only * kernels.lanes);
  return most;
}

// Copies the state of rows [begin, end) to where the batch keeps it.
void storeRows(const Rows& rows, size_t begin, size_t end, const float* from, size_t stride, size_t width, float* to) {
  for (size_t i = begin; i < end; i++)
    std::memcpy(to + rows.row(i) * width, from + i * stride, width * sizeof(float));
}

} // namespace

size_t Pass::floats(const Layer& layer, size_t B, size_t T, bool ordered) {
  const size_t packedRow = layer.input_.packedRow(), lanes = layer.kernels_.lanes, sums = keptSums(B, T, packedRow);
  size_t total = 0;
  arrange(layer, B, sums, ordered ? sums : 0, packedRow, widestBlock(layer.kernels_), lanes,
          [&](int, size_t count) { total += aligned(count); });
  return total;
}

Pass::Pass(const Layer& layer, const Rows& rows, bool reverse, float* memory)
    : layer_(layer), rows_(rows), reverse_(reverse), memory_(memory) {
  const Kernels& kernels = layer.kernels_;
  const size_t packedRow = layer.input_.packedRow();
  const size_t sums = keptSums(rows.B, rows.T, packedRow);
  chunk_ = sums / std::max<size_t>(rows.B, 1);
  float* parts[9];
  arrange(layer, rows.B, sums, rows.order ? sums : 0, packedRow, widestBlock(kernels), kernels.lanes,
          [&](int i, size_t count) {
            parts[i] = memory;
            memory += aligned(count);
          });
  // Padding lanes are read by whole vectors and must hold numbers.
  std::fill(memory_, parts[5], 0.0f);
  sums_ = parts[5];
  gathered_ = parts[6];
  yRows_ = reinterpret_cast<float**>(parts[8]);
  product_ = {layer.input_.product(layer.memory_), nullptr, 0, sums_, packedRow, 0};
  run_.inputProduct = product_.product;
  run_.first = layer.first_.product(layer.memory_);
  if (layer.hasSecond_)
    run_.second = layer.second_.product(layer.memory_);
  run_.projects = layer.spec_.projSize > 0;
  run_.outputs = layer.outputs();
  run_.x = sums_;
  run_.xRow = packedRow;
  if (layer.hasPeepholes_)
    run_.peephole = layer.memory_ + layer.peephole_.start;
  run_.h[0] = parts[0];
  run_.h[1] = parts[1];
  run_.hStride = rowFloats(layer.outputs(), kernels.lanes);
  run_.c = parts[2];
  run_.between = parts[3];
  run_.update = parts[4];
  run_.unitStride = rowFloats(layer.units(), kernels.lanes);
  run_.carry = parts[7];
  run_.shares = 1;
  turns_ = layer.weights() > worthTurning;
  fuses_ = layer.spec_.cell != CellKind::gruResetBefore;
  const bool pays = aheadPays(run_.inputProduct, run_.first, layer.weights() * sizeof(float));
  aheadRows_ = pays ? kernels.aheadRows : 0;
}

void Pass::setState(const float* h, const float* c) {
  const auto set = [&](const float* from, size_t width, float* to, size_t stride) {
    for (size_t i = 0; i < rows_.B; i++)
      if (from)
        std::memcpy(to + i * stride, from + rows_.row(i) * width, width * sizeof(float));
      else
        std::fill_n(to + i * stride, width, 0.0f);
  };
  set(h, layer_.outputs(), run_.h[0], run_.hStride);
  if (layer_.hasCellState())
    set(c, layer_.units(), run_.c, run_.unitStride);
}

void Pass::getState(float* h, float* c) const {
  if (h)
    storeRows(rows_, 0, rows_.B, run_.h[0], run_.hStride, layer_.outputs(), h);
  if (c && layer_.hasCellState())
    storeRows(rows_, 0, rows_.B, run_.c, run_.unitStride, layer_.units(), c);
}

// Rows are ordered by length, the longest first: those that still run at a step are the first ones.
size_t Pass::activeAt(size_t step) const {
  if (!rows_.lengths)
    return step < rows_.T ? rows_.B : 0;
  size_t active = rows_.B;
  while (active > 0 && rows_.length(active - 1) <= step)
    active--;
  return active;
}

void Pass::advance(size_t begin, size_t end, float* hn, float* cn) {
  size_t active = activeAt(begin);
  for (size_t s = begin; s < end && active > 0;) {
    // Up to the next row's end the same rows run.
    const size_t stop = std::min(end, rows_.length(active - 1));
    if (active == 1 && aheadRows_ > 0 && stop - s >= 3 * aheadRows_) {
      runAhead(s, stop);
      s = stop;
    }
    while (s < stop && !isCancelled()) {
      const size_t steps = std::min(crew ? std::min(chunk_, crewSteps()) : chunk_, stop - s);
      runSteps(s, steps, active);
      s += steps;
    }
    if (isCancelled())
      return;
    const size_t still = activeAt(s);
    if (hn)
      storeRows(rows_, still, active, run_.h[0], run_.hStride, layer_.outputs(), hn);
    if (cn)
      storeRows(rows_, still, active, run_.c, run_.unitStride, layer_.units(), cn);
    active = still;
  }
}

// x of steps [begin, begin + steps) of the active rows → sums (steps, active), by as few products as the strides allow.
void Pass::inputSums(size_t begin, size_t steps, size_t active, float* sums) const {
  const size_t K = layer_.inputs(), packedRow = product_.yStride;
  const auto multiply = layer_.kernels_.product[layer_.input_.G - 1];
  const auto rows = [&](const float* a, ptrdiff_t aStride, float* to, size_t toStride, size_t count) {
    ProductArgs args = product_;
    args.a = a, args.aStride = aStride, args.y = to, args.yStride = toStride, args.rows = count;
    multiply(args);
  };
  const ptrdiff_t step = reverse_ ? -x.step : x.step;
  const auto row = [&](size_t i) { return xByPosition ? i : rows_.row(i); };
  if (rows_.order && !xByPosition && active > 1) {
    for (size_t s = 0; s < steps; s++)
      for (size_t i = 0; i < active; i++)
        std::memcpy(gathered_ + (s * active + i) * K, x.at(timeOf(i, begin + s), rows_.row(i)), K * sizeof(float));
    rows(gathered_, ptrdiff_t(K), sums, packedRow, steps * active);
  } else if (active == 1) {
    rows(x.at(timeOf(0, begin), row(0)), step, sums, packedRow, steps);
  } else if (step == ptrdiff_t(active) * x.row) {
    rows(x.at(begin, row(0)), x.row, sums, packedRow, steps * active);
  } else if (steps >= active || (reverse_ && rows_.lengths)) {
    for (size_t i = 0; i < active; i++)
      rows(x.at(timeOf(i, begin), row(i)), step, sums + i * packedRow, active * packedRow, steps);
  } else {
    for (size_t s = 0; s < steps; s++)
      rows(x.at(timeOf(0, begin + s), row(0)), x.row, sums + s * active * packedRow, packedRow, active);
  }
}

// Steps of a single row, each taking tiles of the input sums of later ones along.
void Pass::runAhead(size_t begin, size_t end) {
  const size_t R = aheadRows_;
  float* now = sums_;
  float* later = sums_ + 2 * R * run_.xRow; // more than the first steps need
  // The first steps are as many as leave whole tiles to the others.
  size_t steps = (end - begin) % R;
  if (steps < leastFirst)
    steps += R;
  run_.ahead = product_;
  run_.ahead.aStride = reverse_ ? -x.step : x.step;
  for (size_t s = begin; s < end && !isCancelled(); s += steps, steps = R) {
    const bool last = s + steps == end;
    run_.x = now;
    run_.ahead.rows = last ? 0 : R;
    run_.ahead.a = last ? nullptr : x.at(timeOf(0, s + steps), xByPosition ? 0 : rows_.row(0));
    run_.ahead.y = later;
    runSteps(s, steps, 1, s > begin);
    std::swap(now, later);
  }
  run_.ahead.rows = 0;
  run_.x = sums_;
}

void Pass::runSteps(size_t begin, size_t steps, size_t active, bool summed) {
  run_.T = steps;
  run_.B = active;
  run_.xStep = active * run_.xRow;
  if (y.data) {
    for (size_t i = 0; i < active; i++)
      yRows_[i] = y.at(timeOf(i, begin), yByPosition ? i : rows_.row(i));
    run_.yStep = reverse_ ? -y.step : y.step;
  }
  run_.y = y.data ? yRows_ : nullptr;
  run_.fetched = active * run_.outputs >= (active == 1 ? worthFetchingOne : worthFetching) ? run_.y : nullptr;
  if (crew) {
    shareSteps(begin, steps, summed);
  } else {
    if (!summed)
      inputSums(begin, steps, active, sums_);
    layer_.kernels_.run[size_t(layer_.cell())](run_);
  }
  if (steps & 1)
    std::swap(run_.h[0], run_.h[1]);
}

// Steps that a crew takes at a time: few, so that who comes late soon has a share, and who is slow is soon found out.
size_t Pass::crewSteps() const { return std::max<size_t>(4, worthMeeting / layer_.weights()); }

// A single row: the input sums split by steps, then the recurrent steps by units.
void Pass::shareSteps(size_t begin, size_t steps, bool summed) {
  struct Shared {
    Pass& pass;
    size_t begin, sums;
  } shared{*this, begin, summed ? 0 : steps};
  // Of steps that make sums ahead, the first ones make their own too, and the last ones none.
  const bool alike = summed == (run_.ahead.rows > 0);
  crew->all(
      [](void* argument, size_t share, size_t shares, Barrier& barrier) {
        const Shared& shared = *static_cast<Shared*>(argument);
        const Pass& pass = shared.pass;
        const size_t from = shared.sums * share / shares, to = shared.sums * (share + 1) / shares;
        if (to > from)
          pass.inputSums(shared.begin + from, to - from, 1, pass.sums_ + from * pass.run_.xRow);
        if (shared.sums)
          barrier.meet();
        RunArgs run = pass.run_;
        run.share = share;
        run.shares = shares;
        run.meetArgument = &barrier;
        if (shares > 1)
          run.meet = [](void* barrier) { static_cast<Barrier*>(barrier)->meet(); };
        pass.layer_.kernels_.run[size_t(pass.layer_.cell())](run);
      },
      &shared, alike ? steps : 0);
}

void Pass::step(const float* input, float* output) {
  run_.B = rows_.B;
  run_.T = 1;
  run_.y = yRows_;
  for (size_t b = 0; b < rows_.B; b++)
    yRows_[b] = output + b * run_.outputs;
  if (rows_.B == 1 && fuses_) {
    run_.input = input;
  } else {
    product_.rows = rows_.B;
    product_.a = input, product_.aStride = ptrdiff_t(layer_.inputs());
    layer_.kernels_.product[layer_.input_.G - 1](product_);
  }
  layer_.kernels_.run[size_t(layer_.cell())](run_);
  run_.input = nullptr;
  std::swap(run_.h[0], run_.h[1]);
  run_.backwards = turns_ && !run_.backwards;
}

} // namespace native_rnn
