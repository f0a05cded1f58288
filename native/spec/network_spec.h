// What a network is, apart from its weights' values: cell, sizes, directions, and the plain weights of one layer. Facts
// only.
#pragma once
#include "activation.h"
#include "cell_traits.h"
#include "weight_type.h"

namespace native_rnn {

enum class Direction : uint8_t { forward, reverse, bidirectional };

struct NetworkSpec {
  CellKind cell;
  Direction direction;
  size_t inputSize, hiddenSize, projSize, numLayers; // projSize 0: none
  bool bias;
  Precision precision = {};
  CellFunctions functions[2] = {}; // of a general cell, by direction
  const CellTraits& traits() const { return cellTraits(cell); }
  size_t directions() const { return direction == Direction::bidirectional ? 2 : 1; }
  size_t outputSize() const { return projSize ? projSize : hiddenSize; }
  // Inputs of a layer: of the network, or the outputs of the layer below.
  size_t layerInputs(size_t layer) const { return layer ? directions() * outputSize() : inputSize; }
};

// Plain PyTorch-shaped weights of one layer and direction; null where there is none. Scales are those of the rows of
// int8: null where they follow from the weights.
template <class Float>
struct CellWeightsOf {
  Float *weightIh, *weightHh, *biasIh, *biasHh, *weightHr, *peephole;
  Float *scalesIh = nullptr, *scalesHh = nullptr, *scalesHr = nullptr;
};
using CellWeights = CellWeightsOf<const float>;
using MutableCellWeights = CellWeightsOf<float>;

} // namespace native_rnn
