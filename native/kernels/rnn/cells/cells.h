// The list of cells. A cell is a pure function of one vector of units: gate sums and old state in, new state out.
#pragma once

namespace {

// What a cell may read and write beside its gate sums.
template <class V>
struct Unit {
  V h;           // state before the step
  V c;           // cell state: old in, new out
  V updateGate;  // first phase to second phase
  V peephole[3]; // weights of i, f, o
};

// What a cell has; each names what differs.
template <int G>
struct Cell {
  static constexpr int gates = G;             // gates of the first recurrent product
  static constexpr int candidates = 0;        // gates of a second product over next()'s result
  static constexpr bool readsState = false;   // uses Unit::h
  static constexpr bool hasCellState = false; // uses Unit::c
  static constexpr bool hasPeepholes = false; // uses Unit::peephole
};

} // namespace

#include "gru.h"
#include "lstm.h"
#include "rnn.h"

namespace {

// Calls visit(cell) for every cell, in the order of CellKind.
template <class Visit>
constexpr void forEachCell(const Visit& visit) {
  visit(RnnTanh{}), visit(RnnRelu{}), visit(Gru{}), visit(GruResetBefore{}), visit(Lstm{}), visit(LstmPeephole{});
}

} // namespace
