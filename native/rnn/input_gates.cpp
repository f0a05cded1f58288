// The steps of a pass: a chunk's input sums and the time loop over them, by one thread or by a crew.
#include "recurrence.h"
#include <algorithm>
#include <cstring>

namespace native_rnn {
namespace {

// Multiplications that a crew does between two looks at who is there.
constexpr size_t worthMeeting = size_t(1) << 20;

// Steps whose input sums are computed at once before those of others are made beside them: a tile of fewer rows is
// slow.
constexpr size_t leastFirst = 3;

// Floats of a step's output that a processor cannot write at once without waiting for memory: results mostly lie in no
// cache.
constexpr size_t worthFetching = 512, worthFetchingOne = 64;

} // namespace

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
  run_.fetched = nullptr;
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
