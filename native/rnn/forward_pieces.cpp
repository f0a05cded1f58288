// The same layers, directions, groups of rows and blocks of time as of a whole call, one after the other.
#include "forward_pieces.h"
#include <algorithm>
#include <new>

namespace native_rnn {
namespace {

// Multiply-adds of a piece: about a millisecond where there are four floats a vector.
constexpr double macsPerPiece = 4e6;
// Multiply-adds that take as long as the activation of one gate.
constexpr double activationMacs = 16;

// Of a step of one row in the layer that takes longest.
double macsPerStep(const Network& network) {
  double most = 1;
  for (const PackedLayer& layer : network.layers())
    most = std::max(most, double(layer.weightsPerStep() + layer.second().weightCount()) +
                              activationMacs * double(layer.recurrent().packedRow()));
  return most;
}

size_t atMost(size_t count, double limit) { return std::min(count, size_t(std::max(1.0, std::min(limit, 1e9)))); }

} // namespace

ForwardPieces::ForwardPieces(const ForwardCall& call, const Network& network)
    : forward_(call, network.spec(), network.layers()) {
  const double steps = macsPerPiece / macsPerStep(network); // of rows
  ForwardPlan& plan = forward_.plan_;
  // Smaller groups and blocks than planned fit the plan's memory.
  plan.rowGroup = atMost(plan.rowGroup, steps);
  plan.timeBlock = atMost(plan.timeBlock, steps / double(std::max<size_t>(1, plan.rowGroup)));
}

void ForwardPieces::start(float* memory) {
  forward_.start(memory);
  memory_ = forward_.threadMemories_;
}

bool ForwardPieces::nextGroup() {
  const ForwardCall& call = forward_.call_;
  const ForwardPlan& plan = forward_.plan_;
  if (call.T == 0 || firstRow_ >= call.B)
    return false;
  const size_t count = plan.nextGroupRows(call.B - firstRow_);
  const uint32_t* const order = forward_.order_;
  group_ = {call.T, count, firstRow_, order ? order + firstRow_ : nullptr, order ? call.lengths : nullptr};
  firstRow_ += count;
  begin_ = layer_ = direction_ = 0;
  const Forward::ThreadMemory thread = forward_.threadMemory(0, nullptr);
  recurrences_ = reinterpret_cast<Recurrence*>(thread.recurrences + plan.recurrenceCount * plan.recurrenceFloats);
  if (plan.followsThroughTime) {
    for (size_t l = 0; l < forward_.L_; l++)
      new (recurrences_ + l)
          Recurrence(forward_.recurrence(group_, l, 0, thread, thread.recurrences + l * plan.recurrenceFloats));
  } else {
    enterLayer();
  }
  return true;
}

void ForwardPieces::enterLayer() {
  const Forward::ThreadMemory thread = forward_.threadMemory(0, nullptr);
  new (recurrences_) Recurrence(forward_.recurrence(group_, layer_, direction_, thread, thread.recurrences));
}

bool ForwardPieces::advance() {
  if (!inGroup_ && !(inGroup_ = nextGroup()))
    return false;
  const ForwardPlan& plan = forward_.plan_;
  const size_t T = forward_.call_.T, end = std::min(T, begin_ + plan.timeBlock);
  if (plan.followsThroughTime) {
    forward_.advanceTimeBlock(recurrences_, layer_, begin_ / plan.timeBlock, forward_.threadMemory(0, nullptr));
    if (++layer_ < forward_.L_)
      return true;
    layer_ = 0;
    begin_ = end;
    inGroup_ = begin_ < T;
  } else {
    forward_.advance(*recurrences_, layer_, direction_, begin_, end);
    begin_ = end;
    if (begin_ < T)
      return true;
    begin_ = 0;
    if (++direction_ == forward_.D_)
      direction_ = 0, layer_++;
    inGroup_ = layer_ < forward_.L_;
    if (inGroup_)
      enterLayer();
  }
  return inGroup_ || firstRow_ < forward_.call_.B;
}

} // namespace native_rnn
