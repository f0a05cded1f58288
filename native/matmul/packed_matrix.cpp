// The packed layout; kernels.h describes it.
#include "packed_matrix.h"
#include "../platform/cpu.h"
#include <algorithm>

namespace native_rnn {

// Floats that pass many a second-level cache.
constexpr size_t largeFloats = size_t(1) << 18;

int partialSums(size_t G, size_t N) {
#ifdef RNN_PARTIALS // bench/promise.mjs asks what another choice would give
  return std::min(RNN_PARTIALS, G == 4 ? 0 : 1);
#endif
  return (G == 1 && N <= 40) || (G < 4 && N <= 16) ? 1 : 0;
}

Matrix layOut(size_t N, size_t G, size_t K, int partials, const Kernels& kernels, size_t& offset) {
  const size_t lanes = kernels.lanes, rest = N % lanes;
  const bool half = kernels.halves && rest > 0 && rest <= lanes / 2;
  Matrix m{N, G, K, partials, lanes, N / lanes + (rest > 0 && !half), 0, half, offset, 0};
  // The blocks of the recurrent weights decide, for the input's are walked together with them. Where they pass the
  // first-level cache, one block would leave nothing to turn around.
  const auto& limit = kernels.panels[G - 1][partials];
  const size_t recurrent = m.paddedUnits() * m.paddedUnits() * G;
  const size_t most = recurrent < largeFloats ? limit.most : limit.large;
  const bool one = m.panels <= limit.only && recurrent * sizeof(float) <= dataCaches().first;
  m.blocks = std::min(m.panels, one ? 1 : std::max<size_t>(2, (m.panels + most - 1) / most));
  offset += aligned(m.paddedUnits() * G * K);
  m.start = offset;
  offset += aligned(m.packedRow());
  return m;
}

// Where weight k of gate g of output n lies, in floats from the matrix's first.
size_t Matrix::place(size_t k, size_t g, size_t n) const {
  const size_t panel = n / lanes;
  if (panel == panels) // the half one
    return panels * G * lanes * K + (k * G + g) * lanes / 2 + n % lanes;
  const size_t narrow = panels / blocks, wide = panels % blocks;
  // The first `wide` blocks have one panel more.
  const size_t boundary = wide * (narrow + 1);
  const size_t width = panel < boundary ? narrow + 1 : narrow;
  const size_t first = panel < boundary ? panel / width * width : boundary + (panel - boundary) / width * width;
  return first * G * lanes * K + ((k * width + (panel - first)) * G + g) * lanes + n % lanes;
}

// Where what belongs to gate g of output n lies in a packed row.
size_t Matrix::placeInRow(size_t g, size_t n) const {
  const size_t panel = n / lanes;
  return panel * G * lanes + g * (panel == panels ? lanes / 2 : lanes) + n % lanes;
}

void Matrix::pack(const float* plain, const float* bias, size_t firstGate, float* memory) const {
  std::fill_n(memory + weights, paddedUnits() * G * K, 0.0f);
  std::fill_n(memory + start, packedRow(), 0.0f);
  for (size_t g = 0; g < G; g++)
    for (size_t n = 0; n < N; n++) {
      const float* row = plain + ((firstGate + g) * N + n) * K;
      // Along k the place moves by a constant.
      float* at = memory + weights + (K ? place(0, g, n) : 0);
      const size_t stride = K > 1 ? place(1, g, n) - place(0, g, n) : 0;
      for (size_t k = 0; k < K; k++)
        at[k * stride] = row[k];
      if (bias)
        memory[start + placeInRow(g, n)] = bias[(firstGate + g) * N + n];
    }
}

void Matrix::unpack(float* plain, float* bias, size_t firstGate, const float* memory) const {
  for (size_t g = 0; g < G; g++)
    for (size_t n = 0; n < N; n++) {
      float* row = plain + ((firstGate + g) * N + n) * K;
      const float* at = memory + weights + (K ? place(0, g, n) : 0);
      const size_t stride = K > 1 ? place(1, g, n) - place(0, g, n) : 0;
      for (size_t k = 0; k < K; k++)
        row[k] = at[k * stride];
      if (bias)
        bias[(firstGate + g) * N + n] = memory[start + placeInRow(g, n)];
    }
}

} // namespace native_rnn
