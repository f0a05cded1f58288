/** What a cell is: a small function from gate sums and the old state to the new state. */
import type { Functions } from '../activations.ts'

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
  /** r ⊙ h, for a cell with a second product. */
  readonly secondInput: Float64Array
  /** Peephole weights ci, cf, co, H each; empty where there are none. */
  readonly peephole: Float32Array
  readonly functions: Functions
  /** The new hidden state, before a projection: what the cell writes. */
  readonly next: Float64Array
}

/** A cell. Its facts are told here once more, apart from `spec/cell-traits.ts`, so that one checks the other; a test holds them together. */
export interface Cell {
  readonly gates: number
  /** Whether `c` lives on from step to step. */
  readonly cellState: boolean
  /** Whether the gates see the cell state. */
  readonly peepholes: boolean
  /** The activations f of the gates, g of the candidate, h of an LSTM's cell state, as ONNX names them; a general cell has them given beside it. */
  readonly functions?: Functions
  /** Where there is one, the last gate's sums run over what this writes to `row.secondInput`, in place of over h. */
  readonly secondInput?: (row: Row) => void
  readonly step: (row: Row) => void
}
