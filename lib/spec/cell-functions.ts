/** The activation functions of a cell, where they are not those that its fast form has built in; it alone knows which cells are fast forms of which. */
import type { ActivationName } from './activations.ts'
import { type CellName, type ClassName, cellTraits } from './cell-traits.ts'

/** One function with its factors, float32 values; 0 where it takes none. */
export interface CellFunction {
  readonly name: ActivationName
  readonly alpha: number
  readonly beta: number
}

/** What a general cell computes with. */
export interface CellFunctions {
  /** For each direction the functions in ONNX's order f g h: the gates', the candidate's, that of an LSTM's cell state. */
  readonly directions: readonly (readonly CellFunction[])[]
  /** What enters a function is bounded to ±clip, a float32 value; Infinity: it is not. */
  readonly clip: number
  /** An LSTM's forget gate is 1 − i. */
  readonly inputForget: boolean
}

/** The functions of each class's cells where nothing else is asked for, in ONNX's order: those that the fast cells have built in. */
export const usualFunctions = {
  RNN: ['tanh'],
  GRU: ['sigmoid', 'tanh'],
  LSTM: ['sigmoid', 'tanh', 'tanh'],
} as const satisfies Record<ClassName, readonly ActivationName[]>

/** The cell that computes with these functions: a fast one where it has them built in, else the general one of its kind. `cell` has the usual ones. */
export function cellWith(
  cell: CellName,
  functions: CellFunctions,
): { readonly cell: CellName; readonly functions?: CellFunctions } {
  // An own property in any case: what a script adds to all objects is no function.
  if (areAll(functions, usualFunctions[cellTraits[cell].className])) return { cell, functions: undefined }
  if (cell !== 'rnnTanh') return { cell: `${cell}General` as CellName, functions }
  return areAll(functions, ['relu']) ? { cell: 'rnnRelu', functions: undefined } : { cell: 'rnnGeneral', functions }
}

/** Whether the functions of each direction are these, and nothing else is asked for that fast cells do not do. */
function areAll({ directions, clip, inputForget }: CellFunctions, wanted: readonly ActivationName[]): boolean {
  if (clip !== Infinity || inputForget) return false
  for (let d = 0; d < directions.length; d++) {
    for (let f = 0; f < wanted.length; f++) if (directions[d][f].name !== wanted[f]) return false
  }
  return true
}

/** Functions as a list of plain values: what a fingerprint is made of. */
export function listFunctions({ directions, clip, inputForget }: CellFunctions): (string | number | boolean)[] {
  const values = directions.flat().flatMap(({ name, alpha, beta }) => [name, alpha, beta])
  return [clip === Infinity ? 0 : clip, inputForget, ...values]
}
