// The list of cells.
#pragma once
#include "general.h"
#include "gru.h"
#include "lstm.h"
#include "rnn.h"

namespace {

template <class... Cells>
struct CellList {
  static constexpr size_t count = sizeof...(Cells);
  // Calls visit(cell) for every cell.
  template <class Visit>
  static constexpr void forEach(const Visit& visit) {
    (visit(Cells{}), ...);
  }
};
using AllCells = CellList<RnnTanh, RnnRelu, Gru, GruResetBefore, Lstm, LstmPeephole, RnnGeneral, GruGeneral,
                          GruResetBeforeGeneral, LstmGeneral, LstmPeepholeGeneral>;

// The cell whose code computes another one too.
template <class C>
struct CodeOf {
  using Cell = C;
};
template <>
struct CodeOf<LstmGeneral> {
  using Cell = LstmPeepholeGeneral;
};

} // namespace
