/** The list of cells and what a cell is: a small function from gate sums and the old state to the new state. */
import type { CellName } from '../../interface.ts'
import { gru, gruResetBefore } from './gru.ts'
import { lstm, lstmPeephole } from './lstm.ts'
import { rnnRelu, rnnTanh } from './rnn.ts'

/** The working memory of one row at one step, all in double precision. Gate g of unit j stands at g · H + j. */
export interface Row {
  readonly H: number
  /** Sums over the inputs, bias included: W_ih · x + b_ih. */
  readonly fromInput: Float64Array
  /** Sums over the old hidden state, bias included: W_hh · h + b_hh. */
  readonly fromState: Float64Array
  /** The old hidden state. */
  readonly h: Float64Array
  /** The cell state; the cell replaces it. */
  readonly c: Float64Array
  /** r ⊙ h, for a cell with `between`. */
  readonly between: Float64Array
  /** Peephole weights ci, cf, co, H each; empty where there are none. */
  readonly peephole: Float32Array
  /** The new hidden state, before a projection: what the cell writes. */
  readonly next: Float64Array
}

export interface Cell {
  readonly gates: number
  /** Whether `c` lives on from step to step. */
  readonly cellState: boolean
  /** Where there is one, the last gate's sums run over what this writes to `between`, in place of over h. */
  readonly between?: (row: Row) => void
  readonly step: (row: Row) => void
}

export const cells: Readonly<Record<CellName, Cell>> = { rnnTanh, rnnRelu, gru, gruResetBefore, lstm, lstmPeephole }
