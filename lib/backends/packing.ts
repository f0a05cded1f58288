/** What compiled code takes and gives: specifications as numbers, weights in a list, arrays of the right length, the sizes of calls. */

import { hasOwn, newSharedFloats, zeros } from '../intrinsics/captured.ts'
import { rowScales, setScales } from '../precision/scales.ts'
import type { CellFunctions } from '../spec/cell-functions.ts'
import { cellTraits } from '../spec/cell-traits.ts'
import { type OperatorKind, operatorTraits } from '../spec/operator-traits.ts'
import { type CellWeights, directionsOf, type NetworkSpec, outputSizeOf } from '../spec/spec.ts'
import type { Precision, WeightType } from '../spec/weight-types.ts'
import { collectWeights } from '../weights/names.ts'
import {
  activationNumber,
  activationTypeNumber,
  cellNumber,
  directionNumber,
  forwardFlag,
  functionFields,
  functionsFields,
  headerField,
  specFields,
  weightFields,
  weightTypeNumber,
} from './protocol.ts'

/** The weights of all layers and directions as the addon takes them. */
export function listWeights(all: readonly CellWeights[]): (Float32Array | undefined)[] {
  const list: (Float32Array | undefined)[] = []
  for (let i = 0; i < all.length; i++) {
    for (let f = 0; f < weightFields.length; f++) {
      const field = weightFields[f]
      list[list.length] = hasOwn(all[i], field) ? all[i][field] : undefined
    }
  }
  return list
}

/** Weights that are to be kept as the specification says, with the scales of their rows where they have any: those that the rows were made with. */
export function withScales(
  spec: NetworkSpec,
  all: readonly CellWeights[],
  scalesOf: (matrix: Float32Array, rows: number) => Float32Array | undefined = rowScales,
): readonly CellWeights[] {
  if (spec.weights !== 'int8') return all
  const rows = cellTraits[spec.cell].gates * spec.hiddenSize
  const scaled: CellWeights[] = []
  for (let i = 0; i < all.length; i++) {
    const { weightIh, weightHh, weightHr } = all[i]
    scaled[i] = {
      ...all[i],
      scalesIh: scalesOf(weightIh, rows),
      scalesHh: scalesOf(weightHh, rows),
      scalesHr: weightHr && scalesOf(weightHr, spec.projSize),
    }
  }
  return scaled
}

/** The weights of a network as they are kept, widened to float32; `fill` writes them to arrays, of int8 with the scales of the rows. */
export function readNetwork(spec: NetworkSpec, fill: (all: readonly CellWeights[]) => void): CellWeights[] {
  const weights = collectWeights(spec, () => {})
  const all = withScales(spec, weights, (_, rows) => zeros(rows))
  fill(all)
  for (let i = 0; i < all.length; i++) {
    const { weightIh, weightHh, weightHr, scalesIh, scalesHh, scalesHr } = all[i]
    setScales(weightIh, scalesIh)
    setScales(weightHh, scalesHh)
    if (weightHr) setScales(weightHr, scalesHr)
  }
  return weights
}

/** The arrays of an operator that is to be kept in a format: its weights, biases, and the scales that its rows were made with. */
export function scaledArrays(
  weight: Float32Array,
  bias: Float32Array | undefined,
  type: WeightType,
): (Float32Array | undefined)[] {
  return [weight, bias, type === 'int8' ? rowScales(weight) : undefined]
}

/** The weights and biases of an operator as they are kept; `fill` writes them to arrays in that order, of int8 with the scales behind. */
export function readOperator(
  kind: OperatorKind,
  sizes: readonly number[],
  type: WeightType,
  fill: (arrays: readonly (Float32Array | undefined)[]) => void,
): Float32Array[] {
  const lengths = operatorTraits[kind].lengths(sizes)
  const weight = zeros(lengths[0])
  const bias = zeros(lengths[1])
  const scales = type === 'int8' ? zeros(lengths[2]) : undefined
  fill([weight, bias, scales])
  setScales(weight, scales)
  return [weight, bias]
}

/** What a call without memory for its work ends with. */
export function outOfMemory(): Error {
  return new RangeError('native-rnn: out of memory')
}

/** Throws for more time steps than the engine counts. */
export function checkSteps(T: number): void {
  if (T > 0x7fffffff) throw new RangeError(`native-rnn: ${T} time steps are more than one call can take`)
}

/** A forward call but for its input. */
interface Call {
  readonly T: number
  readonly B: number
  readonly batchFirst: boolean
  readonly returnOutput: boolean
  readonly h0?: object
  readonly c0?: object
  readonly lengths?: object
}

/** The arrays of its result. */
interface Result {
  readonly output?: Float32Array
  readonly hn: Float32Array
  readonly cn?: Float32Array
}

/** Floats of one row. */
export interface RowSizes {
  readonly x: number // of one step
  readonly y: number // of one step
  readonly h: number
  /** 0: no cell state. */
  readonly c: number
}

export function rowSizesOf(spec: NetworkSpec): RowSizes {
  const D = directionsOf(spec)
  const y = D * outputSizeOf(spec)
  const c = cellTraits[spec.cell].hasCellState ? spec.numLayers * D * spec.hiddenSize : 0
  return { x: spec.inputSize, y, h: spec.numLayers * y, c }
}

/** How long the arrays of a call are, and so where they lie in memory that has one after the other: compiled code has the same order. */
export interface Layout {
  readonly T: number
  readonly B: number
  readonly flags: number
  readonly x: number
  readonly h: number
  readonly c: number
  readonly y: number
  /** Floats before the results, and of all. */
  readonly inputs: number
  readonly floats: number
}

/** Throws for more time steps than the engine counts. */
export function layoutOf(rows: RowSizes, call: Call): Layout {
  const { T, B, batchFirst, h0, c0, lengths, returnOutput } = call
  checkSteps(T)
  const x = T * B * rows.x
  const h = B * rows.h
  const c = B * rows.c
  const y = returnOutput ? T * B * rows.y : 0
  const inputs = x + (h0 ? h : 0) + (c0 ? c : 0) + (lengths ? B : 0)
  const flags =
    (batchFirst ? forwardFlag.batchFirst : 0) |
    (returnOutput ? forwardFlag.output : 0) |
    (h0 ? forwardFlag.h0 : 0) |
    (c0 ? forwardFlag.c0 : 0) |
    (lengths ? forwardFlag.lengths : 0)
  return { T, B, flags, x, h, c, y, inputs, floats: inputs + y + h + c }
}

/** Writes the header, which begins at a place of some integers, that tells compiled code of a call. */
export function writeHeader(header: Int32Array, at: number, { T, B, flags }: Layout): void {
  header[at + headerField.T] = T
  header[at + headerField.B] = B
  header[at + headerField.flags] = flags
}

/** The arrays for a result: the caller's own, or ones that `make` makes. */
export function resultArrays(
  { y, h, c }: Layout,
  { returnOutput, into }: { readonly returnOutput: boolean; readonly into?: Partial<Result> },
  make: (length: number) => Float32Array,
): Result {
  const output = returnOutput ? (into?.output ?? make(y)) : undefined
  const hn = into?.hn ?? make(h)
  return { output, hn, cn: c > 0 ? (into?.cn ?? make(c)) : undefined }
}

/** A specification as the addon takes it. */
export function specNumbers(spec: NetworkSpec): number[] {
  const { cell, direction, functions, weights, activations } = spec
  const numbers = {
    ...spec,
    cell: cellNumber[cell],
    direction: directionNumber[direction],
    weights: weightTypeNumber[weights],
    activations: activationTypeNumber[activations],
  }
  const list: number[] = []
  for (let i = 0; i < specFields.length; i++) list[i] = +numbers[specFields[i]]
  return functions ? withFunctions(list, functions) : list
}

/** In what weights and activations are kept, as the addon takes it. */
export function precisionNumbers({ weights, activations }: Precision): number[] {
  return [weightTypeNumber[weights], activationTypeNumber[activations]]
}

/** Three functions for each of two directions, whatever the cell has. */
function withFunctions(list: number[], functions: CellFunctions): number[] {
  for (let i = 0; i < functionsFields.length; i++) list[list.length] = +functions[functionsFields[i]]
  const { directions } = functions
  for (let i = 0; i < 6; i++) {
    const own = directions[i < 3 ? 0 : directions.length - 1]
    const one = own[i % 3 < own.length ? i % 3 : 0]
    const numbers = { ...one, name: activationNumber[one.name] }
    for (let k = 0; k < functionFields.length; k++) list[list.length] = numbers[functionFields[k]]
  }
  return list
}

/** Shared memory cannot be detached, and other threads can have it too. The addon wants 64 bytes more, to align within. */
export function packedMemory(floats: number): Float32Array {
  return newSharedFloats(packedLength(floats))
}

export function packedLength(floats: number): number {
  return floats + 16
}
