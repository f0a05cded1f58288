// The decisions of a plan, one after the other.
#include "plan.h"
#include "recurrence.h"
#include <algorithm>

namespace native_rnn {
namespace {

// Rows of a group: enough for every tile, few enough for their states to stay in a cache.
constexpr size_t maxGroupRows = 128;
// The fewest rows that a thread takes at a time, by whether half a second-level cache holds the weights: each group
// reads them all again.
constexpr size_t minRowsOfSmall = 8, minRowsOfLarge = 32, halfSecondLevelBytes = size_t(1) << 18;
// Floats kept between two layers that follow each other through time, and between layers that cannot.
constexpr size_t timeBlockFloats = 65536, wholeSequenceFloats = size_t(1) << 22;
// Multiply-adds of one gate in a time block that a thread takes at a time.
constexpr size_t macsPerTimeBlock = 262144;

bool hasUnevenLengths(const ForwardCall& call) {
  return call.lengths &&
         std::any_of(call.lengths, call.lengths + call.B, [&](int32_t length) { return size_t(length) != call.T; });
}

// Multiply-adds of one gate of a step of all rows, in a layer that is not the first.
size_t macsPerStep(const ForwardCall& call, const NetworkSpec& spec) {
  const size_t O = spec.outputSize();
  return call.B * spec.hiddenSize * (O + (spec.numLayers > 1 ? O : spec.inputSize));
}

Split splitOf(const ForwardCall& call, const NetworkSpec& spec, const ForwardPlan& plan) {
  if (plan.rowThreads > 1 || plan.threads < 2)
    return Split::rows;
  if (spec.directions() == 2)
    return Split::directions;
  if (plan.followsThroughTime && spec.numLayers > 1 && call.T * macsPerStep(call, spec) >= 8 * macsPerTimeBlock)
    return Split::layers;
  return call.B == 1 ? Split::units : Split::rows;
}

size_t largestWeightBytes(const std::vector<PackedLayer>& layers) {
  size_t most = 0;
  for (const PackedLayer& layer : layers)
    most = std::max(most, layer.weightBytesPerStep());
  return most;
}

} // namespace

// Fewer and fewer, so that threads that came late or are slow end with the others.
size_t ForwardPlan::nextGroupRows(size_t left) const {
  if (rowThreads == 1)
    return std::min(left, rowGroup);
  return std::min({left, rowGroup, std::max(minRows, roundUp((left + 2 * rowThreads - 1) / (2 * rowThreads), 4))});
}

ForwardPlan planForward(const ForwardCall& call, const NetworkSpec& spec, const std::vector<PackedLayer>& layers,
                        size_t threads) {
  const size_t T = call.T, B = call.B, L = spec.numLayers, width = spec.directions() * spec.outputSize();
  ForwardPlan plan{};
  plan.hasUnevenLengths = hasUnevenLengths(call);
  plan.followsThroughTime = spec.direction == Direction::forward;
  // 1. what the threads share
  plan.threads = threads;
  plan.rowThreads = std::max<size_t>(1, std::min(threads, B));
  plan.split = splitOf(call, spec, plan);
  // 2. rows to groups
  const size_t few = largestWeightBytes(layers) > halfSecondLevelBytes ? minRowsOfLarge : minRowsOfSmall;
  plan.minRows = std::min(few, (B + plan.rowThreads - 1) / plan.rowThreads);
  plan.rowGroup = std::min(B, maxGroupRows);
  plan.rowGroup = plan.nextGroupRows(B);
  // 3. time to blocks
  plan.timeBlock = T;
  if (plan.split == Split::layers)
    plan.timeBlock = std::min(T / 8 + 1, std::max<size_t>(1, macsPerTimeBlock / macsPerStep(call, spec)));
  else if (L > 1 && plan.followsThroughTime)
    plan.timeBlock = std::min(T, std::max<size_t>(1, timeBlockFloats / std::max<size_t>(1, plan.rowGroup * width)));
  else if (L > 1)
    plan.rowGroup = std::min(plan.rowGroup, std::max<size_t>(8, wholeSequenceFloats / std::max<size_t>(1, T * width)));
  // 4. memory. Layers at work at the same time write one block while the next layer reads the one before.
  plan.betweenFloats = L > 1 ? aligned(plan.timeBlock * plan.rowGroup * width) : 0;
  plan.betweenCount = plan.split == Split::layers ? 2 * (L - 1) : 2;
  plan.recurrenceCount = plan.followsThroughTime ? L : plan.split == Split::directions ? 2 : 1;
  for (const PackedLayer& layer : layers)
    plan.recurrenceFloats =
        std::max(plan.recurrenceFloats, Recurrence::floats(layer, plan.rowGroup, T, plan.hasUnevenLengths));
  plan.threadFloats = plan.betweenCount * plan.betweenFloats + plan.recurrenceCount * plan.recurrenceFloats +
                      aligned(L * sizeof(Recurrence) / sizeof(float));
  plan.orderFloats = plan.hasUnevenLengths ? aligned(2 * B) : 0; // sorted, and dealt to the groups
  return plan;
}

} // namespace native_rnn
