// The packed layout; kernels.h describes it.
#include "packed_matrix.h"
#include "../platform/cpu.h"
#include <algorithm>

namespace native_rnn {

// Floats that pass many a second-level cache.
constexpr size_t beyondSecondLevel = size_t(1) << 18;

int kSplitsLog2For(size_t G, size_t N) { return (G == 1 && N <= 40) || (G < 4 && N <= 16) ? 1 : 0; }

PackedMatrix layOut(size_t N, size_t G, size_t K, int kSplitsLog2, const Kernels& kernels, size_t& offset) {
  const size_t lanes = kernels.lanes, rest = N % lanes;
  const bool tailHalf = kernels.hasHalfPanels && rest > 0 && rest <= lanes / 2;
  PackedMatrix m{N, G, K, kSplitsLog2, lanes, N / lanes + (rest > 0 && !tailHalf), 0, tailHalf, offset, 0};
  // The blocks of the recurrent weights decide, for the input's are walked together with them. Where they pass the
  // first-level cache, one block would leave nothing to turn around.
  const auto& limit = kernels.blockPanels[G - 1][kSplitsLog2];
  const size_t recurrent = m.paddedUnits() * m.paddedUnits() * G;
  const size_t most = recurrent < beyondSecondLevel ? limit.several : limit.large;
  const bool one = m.panels <= limit.single && recurrent * sizeof(float) <= dataCaches().first;
  m.blocks = std::min(m.panels, one ? 1 : std::max<size_t>(2, (m.panels + most - 1) / most));
  offset += aligned(m.paddedUnits() * G * K);
  m.biasOffset = offset;
  offset += aligned(m.packedRow());
  return m;
}

// Where weight k of gate g of output n lies, in floats from the matrix's first.
size_t PackedMatrix::offsetOf(size_t k, size_t g, size_t n) const {
  const size_t panel = n / lanes;
  if (panel == panels) // the half one
    return panels * G * lanes * K + (k * G + g) * lanes / 2 + n % lanes;
  const size_t panelsPerBlock = panels / blocks, largerBlocks = panels % blocks;
  // The first `wide` blocks have one panel more.
  const size_t boundary = largerBlocks * (panelsPerBlock + 1);
  const size_t width = panel < boundary ? panelsPerBlock + 1 : panelsPerBlock;
  const size_t first = panel < boundary ? panel / width * width : boundary + (panel - boundary) / width * width;
  return first * G * lanes * K + ((k * width + (panel - first)) * G + g) * lanes + n % lanes;
}

// Where what belongs to gate g of output n lies in a packed row.
size_t PackedMatrix::offsetInRow(size_t g, size_t n) const {
  const size_t panel = n / lanes;
  return panel * G * lanes + g * (panel == panels ? lanes / 2 : lanes) + n % lanes;
}

void PackedMatrix::pack(const float* plain, const float* bias, size_t firstGate, float* memory) const {
  std::fill_n(memory + weightsOffset, paddedUnits() * G * K, 0.0f);
  std::fill_n(memory + biasOffset, packedRow(), 0.0f);
  for (size_t g = 0; g < G; g++)
    for (size_t n = 0; n < N; n++) {
      const float* row = plain + ((firstGate + g) * N + n) * K;
      // Along k the place moves by a constant.
      float* at = memory + weightsOffset + (K ? offsetOf(0, g, n) : 0);
      const size_t stride = K > 1 ? offsetOf(1, g, n) - offsetOf(0, g, n) : 0;
      for (size_t k = 0; k < K; k++)
        at[k * stride] = row[k];
      if (bias)
        memory[biasOffset + offsetInRow(g, n)] = bias[(firstGate + g) * N + n];
    }
}

void PackedMatrix::unpack(float* plain, float* bias, size_t firstGate, const float* memory) const {
  for (size_t g = 0; g < G; g++)
    for (size_t n = 0; n < N; n++) {
      float* row = plain + ((firstGate + g) * N + n) * K;
      const float* at = memory + weightsOffset + (K ? offsetOf(0, g, n) : 0);
      const size_t stride = K > 1 ? offsetOf(1, g, n) - offsetOf(0, g, n) : 0;
      for (size_t k = 0; k < K; k++)
        row[k] = at[k * stride];
      if (bias)
        bias[(firstGate + g) * N + n] = memory[biasOffset + offsetInRow(g, n)];
    }
}

} // namespace native_rnn
