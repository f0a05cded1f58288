// The steps of a pass: a chunk's input sums and the time loop over them, by one thread or by a crew.
#include "recurrence.h"
#include <algorithm>
#include <cstring>

namespace native_rnn {
namespace {

// Multiplications that a crew does between two looks at who is there.
constexpr size_t macsPerRound = size_t(1) << 20;

// Steps whose input sums are computed at once before those of others are made beside them: a tile of fewer rows is
// slow.
constexpr size_t minLeadSteps = 3;

// Floats of a step's output that a processor cannot write at once without waiting for memory: results mostly lie in no
// cache.
constexpr size_t minFloatsToPrefetch = 512, minFloatsToPrefetchOneRow = 64;

} // namespace

// x of steps [begin, begin + steps) of the active rows → sums (steps, active), by as few products as the strides allow.
void Recurrence::inputGates(size_t begin, size_t steps, size_t active, float* sums) const {
  const size_t K = layer_.inputs(), packedRow = inputGemm_.yStride;
  const auto multiply = layer_.kernels_.gemm[layer_.input_.G - 1];
  const auto rows = [&](const float* a, ptrdiff_t aStride, float* to, size_t toStride, size_t count) {
    GemmArgs args = inputGemm_;
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
void Recurrence::runOverlapped(size_t begin, size_t end) {
  const size_t R = aheadRows_;
  float* now = inputGates_;
  float* later = inputGates_ + 2 * R * args_.inputGatesRow; // more than the first steps need
  // The first steps are as many as leave whole tiles to the others.
  size_t steps = (end - begin) % R;
  if (steps < minLeadSteps)
    steps += R;
  args_.overlapped = inputGemm_;
  args_.overlapped.aStride = reverse_ ? -x.step : x.step;
  for (size_t s = begin; s < end && !isCancelled(); s += steps, steps = R) {
    const bool last = s + steps == end;
    args_.inputGates = now;
    args_.overlapped.rows = last ? 0 : R;
    args_.overlapped.a = last ? nullptr : x.at(timeOf(0, s + steps), xByPosition ? 0 : rows_.row(0));
    args_.overlapped.y = later;
    runSteps(s, steps, 1, s > begin);
    std::swap(now, later);
  }
  args_.overlapped.rows = 0;
  args_.inputGates = inputGates_;
}

void Recurrence::runSteps(size_t begin, size_t steps, size_t active, bool haveInputGates) {
  args_.T = steps;
  args_.B = active;
  args_.inputGatesStep = active * args_.inputGatesRow;
  if (y.data) {
    for (size_t i = 0; i < active; i++)
      outputRows_[i] = y.at(timeOf(i, begin), yByPosition ? i : rows_.row(i));
    args_.yStep = reverse_ ? -y.step : y.step;
  }
  args_.y = y.data ? outputRows_ : nullptr;
  args_.prefetched =
      active * args_.outputs >= (active == 1 ? minFloatsToPrefetchOneRow : minFloatsToPrefetch) ? args_.y : nullptr;
  if (forkJoin) {
    shareSteps(begin, steps, haveInputGates);
  } else {
    if (!haveInputGates)
      inputGates(begin, steps, active, inputGates_);
    layer_.kernels_.recurrence[size_t(layer_.cell())](args_);
  }
  if (steps & 1)
    std::swap(args_.h[0], args_.h[1]);
}

// Steps that a crew takes at a time: few, so that who comes late soon has a share, and who is slow is soon found out.
size_t Recurrence::stepsPerRound() const { return std::max<size_t>(4, macsPerRound / layer_.weightsPerStep()); }

// A single row: the input sums split by steps, then the recurrent steps by units.
void Recurrence::shareSteps(size_t begin, size_t steps, bool haveInputGates) {
  struct Shared {
    Recurrence& recurrence;
    size_t begin, sums;
  } shared{*this, begin, haveInputGates ? 0 : steps};
  // Of steps that make sums ahead, the first ones make their own too, and the last ones none.
  const bool alike = haveInputGates == (args_.overlapped.rows > 0);
  forkJoin->run(
      [](void* argument, size_t share, size_t shares, Barrier& barrier) {
        const Shared& shared = *static_cast<Shared*>(argument);
        const Recurrence& recurrence = shared.recurrence;
        const size_t from = shared.sums * share / shares, to = shared.sums * (share + 1) / shares;
        if (to > from)
          recurrence.inputGates(shared.begin + from, to - from, 1,
                                recurrence.inputGates_ + from * recurrence.args_.inputGatesRow);
        if (shared.sums)
          barrier.arriveAndWait();
        RecurrenceArgs args = recurrence.args_;
        args.threadIndex = share;
        args.threadCount = shares;
        args.barrier = &barrier;
        if (shares > 1)
          args.arriveAndWait = [](void* barrier) { static_cast<Barrier*>(barrier)->arriveAndWait(); };
        recurrence.layer_.kernels_.recurrence[size_t(recurrence.layer_.cell())](args);
      },
      &shared, alike ? steps : 0);
}

void Recurrence::step(const float* input, float* output) {
  args_.B = rows_.B;
  args_.T = 1;
  args_.y = outputRows_;
  args_.prefetched = nullptr;
  for (size_t b = 0; b < rows_.B; b++)
    outputRows_[b] = output + b * args_.outputs;
  if (rows_.B == 1 && fusesInput_) {
    args_.input = input;
  } else {
    inputGemm_.rows = rows_.B;
    inputGemm_.a = input, inputGemm_.aStride = ptrdiff_t(layer_.inputs());
    layer_.kernels_.gemm[layer_.input_.G - 1](inputGemm_);
  }
  layer_.kernels_.recurrence[size_t(layer_.cell())](args_);
  args_.input = nullptr;
  std::swap(args_.h[0], args_.h[1]);
  args_.reverseBlocks = reverses_ && !args_.reverseBlocks;
}

} // namespace native_rnn
