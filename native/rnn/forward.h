// One call of a stack: its rows dealt to threads, each thread's rows taken in groups so that scratch stays bounded.
#pragma once
#include "recurrence.h"
#include <vector>

namespace native_rnn {

class Forward {
public:
  Forward(const ForwardCall&, const NetworkSpec&, const std::vector<PackedLayer>&);
  // Floats of scratch that run() needs.
  size_t floats() const;
  // False when cancelled. Allocates nothing.
  bool run(float* memory);

private:
  struct ThreadMemory; // of one thread: its memory, and who helps it

  Strided<const float> input(size_t layer, const ThreadMemory&, size_t block = 0) const;
  Strided<float> output(size_t layer, const ThreadMemory&, size_t block = 0) const;
  size_t nextGroupRows(size_t left) const;
  Recurrence recurrence(const RowGroup&, size_t l, size_t d, const ThreadMemory&, float* memory) const;
  void advance(Recurrence&, size_t l, size_t d, size_t begin, size_t end) const;
  void runThread(size_t index, ForkJoin*) const;
  void runThroughTime(const RowGroup&, const ThreadMemory&) const;
  void advanceTimeBlock(Recurrence* recurrences, size_t l, size_t block, const ThreadMemory&) const;
  void runByLayers(const RowGroup&, const ThreadMemory&) const;
  void runLayer(const RowGroup&, size_t l, size_t d, const ThreadMemory&) const;
  void sortRows() const;
  void clearPastEnds() const;
  void startStates() const;
  bool isCancelled() const { return call_.cancelled && call_.cancelled->load(std::memory_order_relaxed); }

  const ForwardCall call_;
  const NetworkSpec& spec_;
  const std::vector<PackedLayer>& layers_;
  const size_t D_, L_, O_;
  const bool followsThroughTime_; // the layers can follow each other through time: one direction, forward
  bool unevenLengths_;            // rows end at different times
  size_t threads_;                // of those that the call may use
  size_t rowThreads_;             // threads that the rows are dealt to
  size_t minRows_;                // fewest rows that a thread takes, where there are several
  size_t rowGroup_;               // most rows that go through all layers together
  size_t timeBlock_;              // time steps kept between two layers
  // What threads beyond the rows do: a direction each, the layers one cut behind each other, or a share of the units.
  bool splitsDirections_, splitsLayers_, splitsUnits_;
  size_t recurrenceFloats_, betweenFloats_, betweenCount_, threadFloats_;
  uint32_t* order_ = nullptr; // rows by length, or null where all are T long
  float* threadMemories_ = nullptr;
  mutable std::atomic<size_t> next_{0}; // the first row that no thread has taken
};

} // namespace native_rnn
