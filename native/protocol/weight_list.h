// The weights of a network as one list of arrays, nine for each layer and direction (l·D + d): their order and lengths.
#pragma once
#include "../spec/network_spec.h"

namespace native_rnn {

enum class WeightField : int32_t {
  weightIh,
  weightHh,
  biasIh,
  biasHh,
  weightHr,
  peephole,
  scalesIh,
  scalesHh,
  scalesHr
};
constexpr size_t weightFields = static_cast<size_t>(WeightField::scalesHr) + 1;

inline size_t weightListLength(const NetworkSpec& spec) { return spec.numLayers * spec.directions() * weightFields; }

// Whether the list may have nothing where the network has an array: scales of rows, which else follow from the weights.
inline bool isOptional(size_t index) { return index % weightFields >= static_cast<size_t>(WeightField::scalesIh); }

// Floats of one array of the list; 0 where the network has none, and the list nothing there.
inline size_t weightLength(const NetworkSpec& spec, size_t index) {
  const size_t rows = spec.traits().gates * spec.hiddenSize, layer = index / weightFields / spec.directions();
  const bool hasScales = weightTypeTraits(spec.precision.packed()).hasScales;
  switch (static_cast<WeightField>(index % weightFields)) {
  case WeightField::weightIh:
    return rows * spec.layerInputs(layer);
  case WeightField::weightHh:
    return rows * spec.outputSize();
  case WeightField::biasIh:
  case WeightField::biasHh:
    return spec.bias ? rows : 0;
  case WeightField::weightHr:
    return spec.projSize * spec.hiddenSize;
  case WeightField::peephole:
    return spec.traits().hasPeepholes ? 3 * spec.hiddenSize : 0;
  case WeightField::scalesIh:
  case WeightField::scalesHh:
    return hasScales ? rows : 0;
  case WeightField::scalesHr:
    return hasScales ? spec.projSize : 0;
  }
  return 0;
}

// The arrays of one layer and direction, which begin at `list`.
template <class Float>
CellWeightsOf<Float> cellWeights(float* const* list) {
  return {list[0], list[1], list[2], list[3], list[4], list[5], list[6], list[7], list[8]};
}

} // namespace native_rnn
