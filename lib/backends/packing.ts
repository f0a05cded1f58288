/** What native memory for packed weights is made of: specifications as numbers, weights in a list, arrays of the right length. */

import { hasOwn, newSharedFloats, zeros } from '../intrinsics/captured.ts'
import { rowScales, setScales } from '../precision/scales.ts'
import type { CellFunctions } from '../spec/cell-functions.ts'
import { cellTraits } from '../spec/cell-traits.ts'
import { type OperatorKind, operatorTraits } from '../spec/operator-traits.ts'
import { type CellWeights, directionsOf, type NetworkSpec } from '../spec/spec.ts'
import type { Precision, WeightType } from '../spec/weight-types.ts'
import {
  activationNumber,
  activationTypeNumber,
  cellNumber,
  directionNumber,
  forwardFlag,
  functionFields,
  functionsFields,
  specFields,
  weightFields,
  weightTypeNumber,
} from './protocol.ts'

/** The weights of all layers and directions as the addon takes them. */
export function listWeights(all: readonly CellWeights[]): (Float32Array | undefined)[] {
  const list: (Float32Array | undefined)[] = []
  const fields = weightFields.length
  for (let i = 0; i < all.length; i++) {
    for (let f = 0; f < fields; f++) {
      const field = weightFields[f]
      list[i * fields + f] = hasOwn(all[i], field) ? all[i][field] : undefined
    }
  }
  return list
}

/** Weights that are to be kept in a format, with the scales that their rows were made with. */
export function scaledWeights(all: readonly CellWeights[], type: WeightType): readonly CellWeights[] {
  if (type !== 'int8') return all
  const scaled: CellWeights[] = []
  for (let i = 0; i < all.length; i++) {
    const { weightIh, weightHh, weightHr } = all[i]
    const scales = {
      scalesIh: rowScales(weightIh),
      scalesHh: rowScales(weightHh),
      scalesHr: weightHr && rowScales(weightHr),
    }
    scaled[i] = { ...all[i], ...scales }
  }
  return scaled
}

/** The arrays for weights that are read back, and room for the scales of their rows where they have any. */
export function withScales(all: readonly CellWeights[], spec: NetworkSpec): readonly CellWeights[] {
  if (spec.weights !== 'int8') return all
  const rows = cellTraits[spec.cell].gates * spec.hiddenSize
  const scaled: CellWeights[] = []
  for (let i = 0; i < spec.numLayers * directionsOf(spec); i++) {
    const scales = {
      scalesIh: zeros(rows),
      scalesHh: zeros(rows),
      scalesHr: spec.projSize ? zeros(spec.projSize) : undefined,
    }
    scaled[i] = { ...all[i], ...scales }
  }
  return scaled
}

/** Notes beside the weights what came back as the scales of their rows. */
export function noteScales(all: readonly CellWeights[]): void {
  for (let i = 0; i < all.length; i++) {
    const { weightIh, weightHh, weightHr, scalesIh, scalesHh, scalesHr } = all[i]
    setScales(weightIh, scalesIh)
    setScales(weightHh, scalesHh)
    if (weightHr) setScales(weightHr, scalesHr)
  }
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
  const { weightLength, biasLength, weightRows } = operatorTraits[kind]
  const weight = zeros(weightLength(sizes))
  const bias = zeros(biasLength(sizes))
  const scales = type === 'int8' ? zeros(weightRows(sizes)) : undefined
  fill([weight, bias, scales])
  setScales(weight, scales)
  return [weight, bias]
}

/** What a call without memory for its work ends with. */
export function outOfMemory(): Error {
  return new RangeError('native-rnn: out of memory')
}

/** Of a forward call. */
interface Flags {
  readonly batchFirst: boolean
  readonly returnOutput: boolean
  readonly h0?: object
  readonly c0?: object
  readonly lengths?: object
}

/** Throws for more time steps than the engine counts. */
export function checkSteps(T: number): void {
  if (T > 0x7fffffff) throw new RangeError(`native-rnn: ${T} time steps are more than one call can take`)
}

/** What the header says of a call beside its sizes. */
export function flagsOf({ batchFirst, h0, c0, lengths, returnOutput }: Flags): number {
  return (
    (batchFirst ? forwardFlag.batchFirst : 0) |
    (returnOutput ? forwardFlag.output : 0) |
    (h0 ? forwardFlag.h0 : 0) |
    (c0 ? forwardFlag.c0 : 0) |
    (lengths ? forwardFlag.lengths : 0)
  )
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
