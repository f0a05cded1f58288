// The formulas of the packed layout: splits are even and complete, and every weight has a place of its own.
#include "kernels/matmul/layout.h"
#include "unit.h"
#include <vector>

using namespace native_rnn;

static void splitsAreEvenAndComplete() {
  for (size_t total = 0; total < 40; total++)
    for (size_t parts = 1; parts <= 12; parts++) {
      const EvenSplit split = splitEvenly(total, parts);
      size_t next = 0;
      for (size_t part = 0; part < parts; part++) {
        CHECK(split.begin(part) == next);
        CHECK(split.size(part) == total / parts || split.size(part) == total / parts + 1);
        CHECK(part == 0 || split.size(part) <= split.size(part - 1));
        for (size_t i = 0; i < split.size(part); i++)
          CHECK(split.partOf(next + i) == part);
        next += split.size(part);
      }
      CHECK(next == total);
    }
  CHECK(splitEvenly(5, 0).parts == 0);
}

// Blocks one after the other, in each [k][panel][gate][lane].
static void weightsFillTheirBlocks() {
  const size_t lanes = 4, panels = 7;
  for (size_t G = 1; G <= 4; G++)
    for (size_t K : {1, 3, 8})
      for (size_t count = 1; count <= 4; count++) {
        const EvenSplit blocks = splitEvenly(panels, count);
        std::vector<int> seen(panels * lanes * G * K);
        size_t expected = 0; // the order in which a single row reads
        for (size_t b = 0; b < blocks.parts; b++) {
          const Block block = blockAt(blocks, b);
          const size_t begin = blockOffset(block.firstPanel, G, lanes, K);
          for (size_t k = 0; k < K; k++)
            for (size_t panel = 0; panel < block.panels; panel++)
              for (size_t g = 0; g < G; g++)
                for (size_t lane = 0; lane < lanes; lane++) {
                  const size_t at = begin + offsetInBlock(k, panel, g, lane, block.panels, G, lanes);
                  CHECK(at == expected);
                  seen[at]++;
                  expected++;
                }
        }
        for (int times : seen)
          CHECK(times == 1);
      }
}

// Half panels are counted in half lanes: the same formulas find the place behind the whole ones.
static void halfPanelsFollowTheWholeOnes() {
  for (size_t G = 1; G <= 4; G++) {
    const Block tail = tailHalfBlock(3);
    CHECK(rowOffset(tail.firstPanel, G, 8) == rowOffset(3, G, 16));
    CHECK(blockOffset(tail.firstPanel, G, 8, 5) == blockOffset(3, G, 16, 5));
    CHECK(tail.panels == 1);
  }
}

int main() {
  splitsAreEvenAndComplete();
  weightsFillTheirBlocks();
  halfPanelsFollowTheWholeOnes();
  return unit::end();
}
