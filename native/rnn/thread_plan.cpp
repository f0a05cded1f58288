// A call's work, in multiplications and in nanoseconds, against what help and meetings take.
#include "thread_plan.h"
#include "../threading/pool.h"
#include <algorithm>
#include <numeric>

namespace native_rnn {
namespace {

// Multiplications of a call that is over before another thread has come, on any machine.
constexpr double minMacs = 1 << 20;
// Each thread that comes to help should have so many times as much to do as its coming takes.
constexpr double minWorkPerWake = 3;

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

} // namespace

size_t plannedThreads(const ForwardCall& call, const std::vector<PackedLayer>& layers) {
  if (call.threads < 2 || sharesAlways())
    return call.threads;
  const double steps = stepsOf(call),
               work = steps * sumOf(layers, [](const PackedLayer&layer) { return layer.macsPerStep(); });
  const size_t most = std::min(call.threads, Pool::shared().size());
  if (most < 2 || work < minMacs)
    return 1;
  const ThreadCosts costs = threadCosts(layers[0].kernels());
  const double time = call.B > 1
                          ? work * costs.gemmNsPerMac
                          : steps * sumOf(layers, [&](const PackedLayer& layer) { return layer.stepNs(costs, 1); });
  return std::min(most, 1 + size_t(time / (minWorkPerWake * costs.wakeNs)));
}

size_t unitThreads(const PackedLayer& layer, size_t threads) {
  if (sharesAlways())
    return threads;
  const ThreadCosts costs = threadCosts(layer.kernels());
  size_t best = 1;
  for (size_t n = 2; n <= threads; n++)
    if (layer.stepNs(costs, n) < layer.stepNs(costs, best))
      best = n;
  return best;
}

} // namespace native_rnn
