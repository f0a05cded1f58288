// The cells and the facts about each; the one table that everything in native/ asks. lib/spec/cell-traits.ts is its
// twin.
#pragma once
#include <cstddef>
#include <cstdint>

namespace native_rnn {

enum class CellKind : uint8_t {
  rnnTanh,
  rnnRelu,
  gru,
  gruResetBefore,
  lstm,
  lstmPeephole,
  rnnGeneral,
  gruGeneral,
  gruResetBeforeGeneral,
  lstmGeneral,
  lstmPeepholeGeneral
};

struct CellTraits {
  const char* name;
  size_t gates;          // of the stacked weights
  size_t candidateGates; // the last so many of them are products over what the others gave, not over the state
  bool hasCellState;
  bool hasPeepholes;
  bool general; // its functions are given beside it; else they are built in
};

// In the order of CellKind.
constexpr CellTraits cellTraitsTable[] = {
    {"rnnTanh", 1, 0, false, false, false},              // Elman, tanh
    {"rnnRelu", 1, 0, false, false, false},              // Elman, max(0, ·)
    {"gru", 3, 0, false, false, false},                  // reset gate after the product
    {"gruResetBefore", 3, 1, false, false, false},       // and before it
    {"lstm", 4, 0, true, false, false},                  // without peepholes
    {"lstmPeephole", 4, 0, true, true, false},           // and with them
    {"rnnGeneral", 1, 0, false, false, true},            // the same with any functions
    {"gruGeneral", 3, 0, false, false, true},            //
    {"gruResetBeforeGeneral", 3, 1, false, false, true}, //
    {"lstmGeneral", 4, 0, true, false, true},            //
    {"lstmPeepholeGeneral", 4, 0, true, true, true},     //
};
constexpr size_t cellKinds = sizeof cellTraitsTable / sizeof *cellTraitsTable;
static_assert(cellKinds == size_t(CellKind::lstmPeepholeGeneral) + 1, "each cell has a row");

static constexpr const CellTraits& cellTraits(CellKind cell) { return cellTraitsTable[size_t(cell)]; }

} // namespace native_rnn
