// Measures what threads cost, by using them.
#include "thread_cost.h"
#include "../matmul/packed_matrix.h"
#include "../platform/clock.h"
#include "../threading/barrier.h"
#include "../threading/team.h"
#include <algorithm>

namespace native_rnn {
namespace {

constexpr ThreadCosts typicalCosts{50000, 300, 0.04, 0.025};
// How long a thread is waited for.
constexpr double timeoutNs = 5e6;
// A barrier of threads that each have a processor takes less. One that takes more was measured while two of them shared
// a processor, or the machine was busy.
constexpr double slowBarrierNs = 1000;
// How often costs are measured where no thread comes or barriers are slow.
constexpr int maxTries = 3;

double since(double begin) { return nanoseconds() - begin; }

// Steps of nothing but exchange: both threads write some cache lines of a state, meet, and read those of the other.
class Exchange {
public:
  // The helper's side: waits for the caller's word, then steps until the caller says that it is over.
  static void help(void* self, size_t) {
    Exchange& exchange = *static_cast<Exchange*>(self);
    spinUntil([&] { return exchange.word_.load(std::memory_order_acquire) != wait; });
    if (exchange.word_.load(std::memory_order_relaxed) == leave)
      return;
    for (bool over = false; !over;) {
      exchange.steps(1);
      over = exchange.over_;
      exchange.barrier_.arriveAndWait();
    }
  }
  // The caller's side: nanoseconds of one step, the median of some lots.
  double measure() {
    word_.store(go, std::memory_order_release);
    const double begin = nanoseconds();
    double lots[mostLots];
    size_t count = 0;
    while (!over_) {
      over_ = count + 1 == mostLots || since(begin) > timeoutNs;
      const double lot = nanoseconds();
      steps(0);
      lots[count++] = since(lot) / meetings;
      barrier_.arriveAndWait();
    }
    std::sort(lots, lots + count);
    return lots[count / 2];
  }
  // The caller's side: nothing is measured; a helper that comes later returns at once.
  void dismiss() { word_.store(leave, std::memory_order_release); }

private:
  static constexpr int meetings = 8, floats = 64, line = 16;
  static constexpr size_t mostLots = 16;
  enum Word { wait, go, leave };

  void steps(size_t self) {
    for (int i = 0; i < meetings; i++) {
      float *const own = state_[i & 1][self], *const others = state_[~i & 1][1 - self];
      float sum = 0;
      for (int k = 0; k < floats; k += line)
        sum += others[k];
      for (int k = 0; k < floats; k += line)
        own[k] = sum;
      barrier_.arriveAndWait();
    }
  }

  std::atomic<Word> word_{wait};
  bool over_ = false; // written by the caller before the meetings of a lot, read by the helper after them
  Barrier barrier_{2};
  alignas(64) float state_[2][2][floats] = {};
};

// A product with weights of 64 KB. Its memory is written first: untouched pages are all one page of zeros, which would
// lie in the first-level cache.
class Sample {
public:
  explicit Sample(const Kernels& kernels) : kernels_(kernels) {
    PackedArena arena;
    matrix_ = PackedMatrix(N, 1, K, 0, WeightType::f32, kernels, arena);
    std::fill_n(packed_, sizeof packed_ / sizeof *packed_, 0.0f);
  }
  // Nanoseconds of a multiply-add in a product of so many rows: the least of some.
  double measure(size_t count) const {
    const GemmArgs args{matrix_.view(packed_), a_, ptrdiff_t(K), y_, matrix_.packedRow(), count};
    double least = 1e9;
    for (int i = 0; i < 6; i++) {
      const double begin = nanoseconds();
      for (size_t row = 0; row < rows; row += count)
        kernels_.gemm[size_t(WeightType::f32)][0](args);
      least = std::min(least, since(begin));
    }
    return least / double(rows * K * N);
  }
  static constexpr size_t rows = 8;

private:
  static constexpr size_t K = 128, N = 128; // whole panels on every instruction set
  // One thread measures at a time.
  alignas(64) static inline float packed_[K * N + N], a_[rows * K], y_[rows * N];
  const Kernels& kernels_;
  PackedMatrix matrix_;
};

// Whether a thread came to help before the timeout.
bool threadComes(const Team& team) {
  const double begin = nanoseconds();
  bool late = false;
  spinUntil([&] { return team.arrived() > 0 || (late = since(begin) > timeoutNs); });
  return !late;
}

// False where no thread comes. The first round starts the thread, which for a while may have the caller's processor.
bool measure(const Kernels& kernels, ThreadCosts& costs) {
  const Sample sample(kernels);
  costs = {1e9, 1e9, 1e9, 1e9};
  for (int round = 0; round < 4; round++) {
    Exchange exchange;
    const double begin = nanoseconds();
    Team team(2, &Exchange::help, &exchange);
    if (!threadComes(team)) {
      exchange.dismiss();
      return false;
    }
    costs.wakeNs = std::min(costs.wakeNs, since(begin));
    costs.barrierNs = std::min(costs.barrierNs, exchange.measure());
    team.end();
    // Meanwhile the thread goes to sleep.
    costs.gemvNsPerMac = std::min(costs.gemvNsPerMac, sample.measure(1));
    costs.gemmNsPerMac = std::min(costs.gemmNsPerMac, sample.measure(Sample::rows));
  }
  return true;
}

struct Measurement {
  const Kernels* kernels;
  ThreadCosts costs;
  int tries;
};

std::atomic<bool> always{false};

} // namespace

void alwaysShareWork() { always.store(true, std::memory_order_relaxed); }
bool sharesAlways() { return always.load(std::memory_order_relaxed); }

ThreadCosts threadCosts(const Kernels& kernels) {
  static Mutex mutex;
  static Measurement all[4];
  const Guard guard(mutex);
  for (Measurement& known : all) {
    if (known.kernels && known.kernels != &kernels)
      continue;
    if (!known.kernels)
      known = {&kernels, typicalCosts, 0};
    if (known.tries < maxTries) {
      ThreadCosts measured;
      const bool came = measure(kernels, measured);
      if (came)
        known.costs = measured;
      known.tries = came && measured.barrierNs < slowBarrierNs ? maxTries : known.tries + 1;
    }
    return known.costs;
  }
  return typicalCosts;
}

} // namespace native_rnn
