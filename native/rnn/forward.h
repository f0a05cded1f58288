// One call of a network, run by its plan: each thread's rows taken in groups, so that scratch stays bounded.
#pragma once
#include "plan.h"
#include "recurrence.h"
#include "thread_plan.h"

namespace native_rnn {

class Forward {
public:
  Forward(const ForwardCall&, const NetworkSpec&, const std::vector<PackedLayer>&);
  // Floats of scratch that run() needs.
  size_t floats() const { return plan_.floats(); }
  // False when cancelled. Allocates nothing.
  bool run(float* memory);

private:
  friend class ForwardPieces;
  // Of one thread: its memory, and who helps it.
  struct ThreadMemory {
    float *between, *recurrences;
    ForkJoin* forkJoin;
  };

  // Orders rows, and writes what is there before the first step.
  void start(float* memory);
  ThreadMemory threadMemory(size_t index, ForkJoin*) const;

  Strided<const float> input(size_t layer, const ThreadMemory&, size_t block = 0) const;
  Strided<float> output(size_t layer, const ThreadMemory&, size_t block = 0) const;
  Recurrence recurrence(const RowGroup&, size_t l, size_t d, const ThreadMemory&, float* memory) const;
  void advance(Recurrence&, size_t l, size_t d, size_t begin, size_t end) const;
  size_t runThread(size_t index, ForkJoin*) const;
  void runRows(size_t index) const;
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
  ForwardPlan plan_;
  Sharing sharing_ = Sharing::none;
  bool isDeclined_ = false;   // the call is one thread's, for what sharing has cost lately
  uint32_t* order_ = nullptr; // rows by length, or null where all are T long
  float* threadMemories_ = nullptr;
  mutable std::atomic<size_t> next_{0};  // the first row that no thread has taken
  mutable std::atomic<double> rowNs_{0}; // of the thread that was fastest
};

} // namespace native_rnn
