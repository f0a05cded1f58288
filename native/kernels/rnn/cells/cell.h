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
  // Of a cell in two stages, begin() and end() in place of next(): how many of its last gates' sums the first changes
  // into what the second goes on with. Several rows go through each in turn, for a core that looks ahead over one stage
  // finds work in the next row where over a whole cell it waits.
  static constexpr int carried = 0;
};

} // namespace
