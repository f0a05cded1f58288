// A model of time: a call's work in multiply-adds and in nanoseconds, against what waking a thread and barriers take.
#include "thread_plan.h"
#include "../threading/pool.h"
#include "thread_cost.h"
#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>

namespace native_rnn {
namespace {

// Multiply-adds of a call that is over before another thread has come, on any machine.
constexpr double minMacs = 1 << 20;
// Each thread that comes to help should have so many times as much to do as its coming takes.
constexpr double minWorkPerWake = 3;
// Multiply-adds that take as long as the activation of one gate.
constexpr double activationMacs = 16;

// Of the time of calls that could have been shared, what trying may cost; the most that is to be paid off, and the most
// that sharing has gained and may lose again.
constexpr double paidPart = 0.015, leastDebtNs = 100e3, mostDebtNs = 50e6, mostCreditNs = 4e6;
// What sharing has cost more than it has gained, and nothing has paid off yet, by its kind.
std::atomic<double> debtsNs[3];

// Steps of rows that a call takes.
double stepsOf(const ForwardCall& call) {
  return call.lengths ? std::accumulate(call.lengths, call.lengths + call.B, 0.0) : double(call.T) * double(call.B);
}

// The sum of `each(layer)`.
template <class Each>
double sumOf(const std::vector<PackedLayer>& layers, const Each& each) {
  return std::accumulate(layers.begin(), layers.end(), 0.0,
                         [&](double sum, const PackedLayer& layer) { return sum + each(layer); });
}

// Multiply-adds of a step of one row, activations counted as what they take.
double macsPerStep(const PackedLayer& layer) {
  return double(layer.weightsPerStep() + layer.second().weightCount()) +
         activationMacs * double(layer.recurrent().packedRow());
}

// A weight in fewer bytes is read sooner, and takes as long to multiply.
double readingCost(const PackedMatrix& matrix) {
  return matrix.weightCount() ? std::max(0.4, double(matrix.weightBytes()) / double(4 * matrix.weightCount())) : 1;
}

// Weights of a product that the thread with most blocks reads, where so many share it, as f32's cost.
double weightsOfBusiest(const PackedMatrix& matrix, size_t threads) {
  const double blocks = double(std::max<size_t>(1, matrix.blocks().parts));
  return double(matrix.weightCount()) * readingCost(matrix) * std::ceil(blocks / double(threads)) / blocks;
}

// Nanoseconds of a step of a single row whose units so many threads share.
double stepNs(const PackedLayer& layer, const ThreadCosts& costs, size_t threads) {
  // The input product has no part in the waiting: it is made of several steps at a time.
  double time = double(layer.input().weightCount()) / double(threads) * costs.gemmNsPerMac;
  time +=
      (weightsOfBusiest(layer.recurrent(), threads) + weightsOfBusiest(layer.second(), threads)) * costs.gemvNsPerMac;
  // Threads are not there at the same moment: what a barrier takes by itself is half of what it costs.
  const double barriers = layer.hasSecondProduct() ? 2 : 1;
  return time + 2 * costs.barrierNs * barriers * double(threads - 1);
}

} // namespace

size_t threadsForCall(const ForwardCall& call, const std::vector<PackedLayer>& layers) {
  if (call.threads < 2 || sharesAlways())
    return call.threads;
  const double steps = stepsOf(call), work = steps * sumOf(layers, macsPerStep);
  const size_t most = std::min(call.threads, Pool::shared().size());
  if (most < 2 || work < minMacs)
    return 1;
  const ThreadCosts costs = threadCosts(layers[0].kernels());
  const double time = call.B > 1
                          ? work * costs.gemmNsPerMac
                          : steps * sumOf(layers, [&](const PackedLayer& layer) { return stepNs(layer, costs, 1); });
  return std::min(most, 1 + size_t(time / (minWorkPerWake * costs.wakeNs)));
}

bool isOverdrawn(Sharing kind) {
  return kind != Sharing::none && !sharesAlways() &&
         debtsNs[size_t(kind)].load(std::memory_order_relaxed) > leastDebtNs;
}

// Threads that write at the same time lose a part of a debt, and nothing else.
void charge(Sharing kind, double lostNs) {
  std::atomic<double>& debtNs = debtsNs[size_t(kind)];
  const double debt = debtNs.load(std::memory_order_relaxed) + lostNs;
  debtNs.store(std::min(std::max(debt, -mostCreditNs), mostDebtNs), std::memory_order_relaxed);
}

void pay(Sharing kind, double ns) { charge(kind, -ns * paidPart); }

size_t threadsForUnits(const PackedLayer& layer, size_t threads) {
  if (sharesAlways())
    return threads;
  const ThreadCosts costs = threadCosts(layer.kernels());
  size_t best = 1;
  for (size_t n = 2; n <= threads; n++)
    if (stepNs(layer, costs, n) < stepNs(layer, costs, best))
      best = n;
  return best;
}

} // namespace native_rnn
