// libFuzzer on the C++ core without Node: any sizes, weights, lengths and cuts, on every table that this CPU runs.
// Beside what the sanitizers see it holds the promise of bits: a row alone, a stream and the other tables agree.
#include "choices.h"
#include "kernels/dispatch.h"
#include "networks.h"
#include "rnn/thread_cost.h"
#include <cmath>
#include <cstdio>

using namespace networks;

namespace {

class Bytes : public Choices {
public:
  using Choices::Choices;
  // Mostly tame numbers, now and then raw bits: NaN, infinities and subnormals come with them.
  float number() {
    uint8_t first = next();
    if (first != 255)
      return (float(first) - 127.0f) / 128.0f;
    uint32_t bits = uint32_t(next()) << 24 | uint32_t(next()) << 16 | uint32_t(next()) << 8 | next();
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  std::vector<float> numbers(size_t count) {
    std::vector<float> values(count);
    for (float& value : values)
      value = number();
    return values;
  }
};

Case readCase(Bytes& bytes) {
  Case c;
  c.spec.cell = CellKind(bytes.below(cellKinds));
  c.spec.direction = Direction(bytes.below(3));
  // Mostly small, which is fifty times as many inputs a second.
  const size_t most = bytes.below(16) ? 18 : 70;
  c.spec.inputSize = 1 + bytes.below(most);
  c.spec.hiddenSize = 1 + bytes.below(most);
  c.spec.projSize = c.spec.traits().hasCellState ? bytes.below(c.spec.hiddenSize) : 0;
  c.spec.numLayers = 1 + bytes.below(3);
  c.spec.bias = bytes.below(2);
  c.spec.precision.weights = WeightType(bytes.below(publicWeightTypes));
  if (c.spec.precision.weights == WeightType::int8 && bytes.below(2))
    c.spec.precision.activations = ActivationType::int8;
  // Input gates of later steps are made beside earlier ones in long sequences of large layers only.
  c.T = bytes.below(most > 18 && bytes.below(4) == 0 ? 50 : 9);
  c.B = 1 + bytes.below(8);
  c.batchFirst = bytes.below(2);
  if (c.spec.traits().general)
    for (CellFunctions& functions : c.spec.functions) {
      // The border lets finite factors and bounds above 0 in.
      const auto factor = [&] {
        const float number = bytes.number();
        return std::isfinite(number) ? number : 1;
      };
      for (Activation* a : {&functions.f, &functions.g, &functions.h}) {
        a->kind = ActivationKind(bytes.below(activationKinds));
        a->alpha = factor(), a->beta = factor();
      }
      functions.clip = bytes.below(2) ? INFINITY : std::fmax(std::fabs(factor()), 1e-30f);
      functions.inputForget = bytes.below(2);
    }
  const bool withStates = bytes.below(2), withLengths = bytes.below(2);
  fill(c, withStates, [&](size_t count, double) { return bytes.numbers(count); });
  for (size_t b = 0; withLengths && b < c.B; b++)
    c.lengths.push_back(int32_t(bytes.below(c.T + 1)));
  return c;
}

void require(bool holds, const char* what, const Kernels& kernels) {
  if (holds)
    return;
  std::fprintf(stderr, "%s: %s\n", kernels.name, what);
  std::abort();
}

void checkRows(const Network& network, const Case& c, const Outputs& whole, size_t cut) {
  for (size_t b = 0; b < c.B; b++) {
    const Case row = rowOf(c, b);
    require(rowIsSame(c, whole, b, forward(row, network, 1)), "a row alone has the bits it has in a batch",
            network.kernels());
    if (c.spec.direction != Direction::forward)
      continue;
    // Single steps up to the cut, all others at once.
    size_t singles = cut % (c.T + 1);
    const auto steps = [&](size_t left) { return singles > 0 ? singles--, size_t(1) : left; };
    require(rowIsSame(c, whole, b, streamed(row, network, steps)), "a stream has the bits of forward",
            network.kernels());
  }
}

} // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  alwaysShareWork();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Bytes bytes(data, size);
  const Case c = readCase(bytes);
  const size_t cut = bytes.next();
  const bool onThreads = bytes.below(8) == 0; // waking them takes longer than the rest
  size_t count;
  const Kernels* const* tables = kernelTables(count);
  Outputs fused;
  std::vector<PlainWeights> kept;
  for (size_t i = 0; i < count; i++) {
    const Kernels& kernels = *tables[i];
    if (!runsHere(kernels))
      continue;
    const PackedNetwork packed(c, kernels);
    const Network& network = packed.network;
    const std::vector<PlainWeights> back = unpacked(c, network);
    if (c.spec.precision.weights == WeightType::f32)
      require(same(back, c.weights), "packed weights come back", kernels);
    else
      require(kept.empty() || same(back, kept), "all tables round weights alike", kernels);
    kept = back;
    const Outputs whole = forward(c, network, 1);
    if (onThreads)
      require(same(whole, forward(c, network, 3)), "threads change no bit", kernels);
    checkRows(network, c, whole, cut);
    if (!kernels.fused)
      continue;
    if (!fused.hn.empty())
      require(same(whole, fused), "the bits of the other tables", kernels);
    fused = whole;
  }
  return 0;
}
