// Plans of forward calls: what threads share, that groups, time blocks and memory fit each other, and what sharing may
// lose.
#include "kernels/dispatch.h"
#include "rnn/network.h"
#include "rnn/plan.h"
#include "rnn/thread_plan.h"
#include "unit.h"
#include <algorithm>
#include <vector>

using namespace native_rnn;

static NetworkSpec spec(CellKind cell, size_t I, size_t H, size_t L, Direction direction = Direction::forward) {
  return {cell, direction, I, H, 0, L, true};
}

static ForwardPlan plan(const NetworkSpec& spec, size_t T, size_t B, size_t threads, const int32_t* lengths = nullptr) {
  const Network network(spec, *kernelsByName("portable"), nullptr);
  ForwardCall call{};
  call.T = T;
  call.B = B;
  call.lengths = lengths;
  return planForward(call, spec, network.layers(), threads);
}

static void rowsAreSharedFirst() {
  for (Direction direction : {Direction::forward, Direction::reverse, Direction::bidirectional})
    for (size_t L : {1, 3}) {
      const ForwardPlan shared = plan(spec(CellKind::lstm, 64, 64, L, direction), 100, 16, 4);
      CHECK(shared.split == Split::rows);
      CHECK(shared.rowThreads == 4);
    }
  CHECK(plan(spec(CellKind::lstm, 64, 64, 1), 100, 3, 4).rowThreads == 3);
}

static void oneRowSharesDirectionsThenLayersThenUnits() {
  CHECK(plan(spec(CellKind::gru, 64, 64, 2, Direction::bidirectional), 100, 1, 2).split == Split::directions);
  CHECK(plan(spec(CellKind::gru, 64, 256, 3), 500, 1, 2).split == Split::layers);
  CHECK(plan(spec(CellKind::gru, 64, 256, 1), 500, 1, 2).split == Split::units);
  // Layers that are over at once are not worth a barrier each.
  CHECK(plan(spec(CellKind::gru, 8, 8, 3), 4, 1, 2).split == Split::units);
  // In reverse a layer needs all of the one below.
  CHECK(plan(spec(CellKind::gru, 64, 256, 3, Direction::reverse), 500, 1, 2).split == Split::units);
}

static void oneThreadSharesNothing() {
  for (size_t B : {1, 7, 200}) {
    const ForwardPlan alone = plan(spec(CellKind::rnnTanh, 16, 16, 2), 50, B, 1);
    CHECK(alone.split == Split::rows);
    CHECK(alone.rowThreads == 1);
  }
}

static void groupsCoverAllRows() {
  for (size_t H : {8, 300})
    for (size_t B : {1, 2, 7, 64, 129, 1000})
      for (size_t threads : {1, 2, 4}) {
        const ForwardPlan of = plan(spec(CellKind::lstm, 16, H, 2), 30, B, threads);
        size_t left = B;
        while (left > 0) {
          const size_t rows = of.nextGroupRows(left);
          CHECK(rows >= 1 && rows <= left && rows <= of.rowGroup);
          left -= std::max<size_t>(1, rows);
        }
      }
}

static void lengthsAreUnevenOnlyWhereOneDiffers() {
  const int32_t even[] = {5, 5, 5}, uneven[] = {5, 4, 5};
  CHECK(!plan(spec(CellKind::gru, 4, 4, 1), 5, 3, 1, even).hasUnevenLengths);
  const ForwardPlan sorted = plan(spec(CellKind::gru, 4, 4, 1), 5, 3, 1, uneven);
  CHECK(sorted.hasUnevenLengths);
  CHECK(sorted.orderFloats >= 6);
}

static void memoryIsBounded() {
  for (size_t T : {1, 10, 1000, 100000}) {
    const ForwardPlan deep = plan(spec(CellKind::lstm, 64, 64, 4), T, 200, 1);
    CHECK(deep.timeBlock >= 1 && deep.timeBlock <= std::max<size_t>(1, T));
    CHECK(deep.betweenFloats * sizeof(float) <= (size_t(1) << 20));
    CHECK(deep.floats() * sizeof(float) < (size_t(64) << 20));
  }
  CHECK(plan(spec(CellKind::lstm, 64, 64, 1), 1000, 200, 1).betweenFloats == 0);
}

// However much sharing has gained, a machine that becomes busy loses milliseconds by it, and then a part of its time.
static void oldGainsAreNoLeaveToLose() {
  CHECK(!isOverdrawn(Sharing::rows));
  charge(Sharing::rows, -1e12);
  charge(Sharing::rows, 3e6);
  CHECK(!isOverdrawn(Sharing::rows));
  charge(Sharing::rows, 2e6);
  CHECK(isOverdrawn(Sharing::rows) && !isOverdrawn(Sharing::steps));
  pay(Sharing::rows, 1e6);
  CHECK(isOverdrawn(Sharing::rows));
  pay(Sharing::rows, 100e6);
  CHECK(!isOverdrawn(Sharing::rows));
}

int main() {
  rowsAreSharedFirst();
  oneRowSharesDirectionsThenLayersThenUnits();
  oneThreadSharesNothing();
  groupsCoverAllRows();
  lengthsAreUnevenOnlyWhereOneDiffers();
  memoryIsBounded();
  oldGainsAreNoLeaveToLose();
  return unit::end();
}
