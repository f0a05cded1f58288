// What a cell is: a pure function of one vector of units, from input gates, gates and old state to the new state. Knows
// no memory layout, no threads, no instruction set.
#pragma once
#include "../../kernels.h"
#include "../../simd/activations.h"

namespace {

using namespace native_rnn;

// What a cell may read and write beside its gates.
template <class V>
struct Unit {
  V h;           // state before the step
  V c;           // cell state: old in, new out
  V updateGate;  // z, from next() to candidate()
  V peephole[3]; // weights of i, f, o
  // Of a general cell:
  const CellFunctions* functions;
  bool seesCellState; // there are peephole weights
};

// What a cell has; each names what differs.
template <int G>
struct Cell {
  static constexpr int gates = G;             // of the recurrent product
  static constexpr int candidates = 0;        // gates of a second product, over what next() gives
  static constexpr bool readsState = false;   // uses Unit::h
  static constexpr bool hasCellState = false; // uses Unit::c
  static constexpr bool hasPeepholes = false; // uses Unit::peephole
  static constexpr bool general = false;      // uses Unit::functions
  // Of a cell in two stages, how many of its last gates' sums begin() changes into what end() goes on with; else 0.
  static constexpr int carried = 0;
};

// A cell in two stages: several rows go through each in turn, for a core that looks ahead over one stage finds work in
// the next row where over a whole cell it waits.
template <class C, int G>
struct StagedCell : Cell<G> {
  template <class V>
  static RNN_INLINE V next(const V* x, const V* s, Unit<V>& u) {
    V sums[G];
#pragma GCC unroll 4
    for (int g = 0; g < G; g++)
      sums[g] = s[g];
    C::begin(x, sums, u);
    return C::end(sums, u);
  }
};

} // namespace
