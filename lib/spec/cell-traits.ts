/** The table of cells: one row a cell with all that the rest of the package may ask about it. Its C++ twin is native/spec/cell_traits.h. */

/** The public class of a network. */
export type ClassName = 'RNN' | 'GRU' | 'LSTM'

/** What is known of a cell without computing it. */
export interface CellTraits {
  /** Gates stacked along the first axis of its weights. */
  readonly gates: number
  /** How many of them, the last ones, have their recurrent sums in a second product, over what the others let through. */
  readonly candidateGates: number
  /** Whether it carries a cell state beside its hidden state. */
  readonly hasCellState: boolean
  /** Whether its gates see the cell state, by three weights a unit. */
  readonly hasPeepholes: boolean
  /** Whether its activation functions are given beside it; else they are built in. */
  readonly general: boolean
  /** The public class that it belongs to. */
  readonly className: ClassName
}

/** In the order of their numbers in the engine. */
// biome-ignore format: a row a cell
export const cellTraits = {
  rnnTanh: { gates: 1, candidateGates: 0, hasCellState: false, hasPeepholes: false, general: false, className: 'RNN' },
  rnnRelu: { gates: 1, candidateGates: 0, hasCellState: false, hasPeepholes: false, general: false, className: 'RNN' },
  gru: { gates: 3, candidateGates: 0, hasCellState: false, hasPeepholes: false, general: false, className: 'GRU' },
  gruResetBefore: { gates: 3, candidateGates: 1, hasCellState: false, hasPeepholes: false, general: false, className: 'GRU' },
  lstm: { gates: 4, candidateGates: 0, hasCellState: true, hasPeepholes: false, general: false, className: 'LSTM' },
  lstmPeephole: { gates: 4, candidateGates: 0, hasCellState: true, hasPeepholes: true, general: false, className: 'LSTM' },
  rnnGeneral: { gates: 1, candidateGates: 0, hasCellState: false, hasPeepholes: false, general: true, className: 'RNN' },
  gruGeneral: { gates: 3, candidateGates: 0, hasCellState: false, hasPeepholes: false, general: true, className: 'GRU' },
  gruResetBeforeGeneral: { gates: 3, candidateGates: 1, hasCellState: false, hasPeepholes: false, general: true, className: 'GRU' },
  lstmGeneral: { gates: 4, candidateGates: 0, hasCellState: true, hasPeepholes: false, general: true, className: 'LSTM' },
  lstmPeepholeGeneral: { gates: 4, candidateGates: 0, hasCellState: true, hasPeepholes: true, general: true, className: 'LSTM' },
} as const satisfies Record<string, CellTraits>

export type CellName = keyof typeof cellTraits

/** All cells, in the order of the table. */
export const cellNames = Object.keys(cellTraits) as CellName[]

/** The cells that a class has. */
export function cellsOf(className: ClassName): CellName[] {
  return cellNames.filter((cell) => cellTraits[cell].className === className)
}
