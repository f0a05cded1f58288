// How a forward call is cut: rows to threads and groups, time to what is kept between two layers. A decision only, a
// function of sizes: it runs nothing and asks no clock.
#pragma once
#include "forward_call.h"
#include "packed_layer.h"
#include <vector>

namespace native_rnn {

// What the threads of a call share: first rows, which need no barrier; where one thread takes all rows, its directions,
// then its layers one time block behind each other, last the units of each step.
enum class Split : uint8_t { rows, directions, layers, units };

struct ForwardPlan {
  Split split;
  size_t threads;          // that take part
  size_t rowThreads;       // that rows are dealt to: all of them, or one
  bool hasUnevenLengths;   // rows end at different times
  bool followsThroughTime; // layers follow each other a time block at a time: one direction, forward
  size_t minRows;          // the fewest rows that a thread takes, where there are several
  size_t rowGroup;         // the most rows that go through all layers together
  size_t timeBlock;        // time steps kept between two layers
  // How many of the rows that are left a thread takes.
  size_t nextGroupRows(size_t left) const;

  // The memory of each thread that takes rows: what lies between layers, and recurrences with theirs.
  size_t betweenFloats, betweenCount;       // of one time block; how many
  size_t recurrenceFloats, recurrenceCount; // of one recurrence; that are there at a time
  size_t threadFloats;
  size_t orderFloats; // of the call: its rows in order
  // Which memory between layers a layer's block of time goes to: layers that run side by side have two each, others
  // take turns.
  size_t betweenIndex(size_t layer, size_t block) const {
    return split == Split::layers ? 2 * layer + block % 2 : layer % 2;
  }
  size_t floats() const { return orderFloats + rowThreads * threadFloats; }
};

// `threads`: how many the call is worth, of those that it may use.
ForwardPlan planForward(const ForwardCall&, const NetworkSpec&, const std::vector<PackedLayer>&, size_t threads);

} // namespace native_rnn
