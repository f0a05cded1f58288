// One call of a stack: its rows dealt to threads, each thread's rows taken in groups so that scratch stays bounded.
#pragma once
#include "recurrence.h"
#include <vector>

namespace native_rnn {

class Call {
public:
  Call(const ForwardCall&, const NetworkSpec&, const std::vector<Layer>&);
  // Floats of scratch that run() needs.
  size_t floats() const;
  // False when cancelled. Allocates nothing.
  bool run(float* memory);

private:
  struct Place; // of one thread: its memory, and who helps it

  Strided<const float> input(size_t layer, const Place&, size_t cut = 0) const;
  Strided<float> output(size_t layer, const Place&, size_t cut = 0) const;
  size_t rowsToTake(size_t left) const;
  Pass pass(const Rows&, size_t l, size_t d, const Place&, float* memory) const;
  void advance(Pass&, size_t l, size_t d, size_t begin, size_t end) const;
  void runShare(size_t index, Crew*) const;
  void runAlongTime(const Rows&, const Place&) const;
  void advanceCut(Pass* passes, size_t l, size_t cut, const Place&) const;
  void runByLayers(const Rows&, const Place&) const;
  void runLayer(const Rows&, size_t l, size_t d, const Place&) const;
  void sortRows() const;
  void clearPastEnds() const;
  void startStates() const;
  bool isCancelled() const { return call_.cancelled && call_.cancelled->load(std::memory_order_relaxed); }

  const ForwardCall call_;
  const NetworkSpec& spec_;
  const std::vector<Layer>& layers_;
  const size_t D_, L_, O_;
  const bool alongTime_; // the layers can follow each other through time: one direction, forward
  bool uneven_;          // rows end at different times
  size_t threads_;       // of those that the call may use
  size_t shares_;        // threads that the rows are dealt to
  size_t leastRows_;     // fewest rows that a thread takes, where there are several
  size_t groupRows_;     // most rows that go through all layers together
  size_t cut_;           // time steps kept between two layers
  // What threads beyond the rows do: a direction each, the layers one cut behind each other, or a share of the units.
  bool splitsDirections_, splitsLayers_, sharesUnits_;
  size_t passFloats_, keptFloats_, keptCount_, placeFloats_;
  uint32_t* order_ = nullptr; // rows by length, or null where all are T long
  float* places_ = nullptr;
  mutable std::atomic<size_t> next_{0}; // the first row that no thread has taken
};

} // namespace native_rnn
