/** The weights of a network as this backend keeps them: matrices in the format that the specification asks for, vectors in float32. */

import { bytesIn, copyOf } from '../../intrinsics/captured.ts'
import { sharedView, trueLength } from '../../intrinsics/typed-arrays.ts'
import { KeptMatrix, keep, keptLength } from '../../precision/kept.ts'
import type { CellWeights, NetworkSpec } from '../../spec/spec.ts'
import { sharedCopy } from './arrays.ts'
import { cells } from './cells/index.ts'

/** Makes one array of another one; of a matrix, rows · columns values. */
type Each = (values: Float32Array, rows: number, columns: number) => Float32Array

/** Arrays of one layer and direction, each made of the one it stands for. */
function mapped(spec: NetworkSpec, all: readonly CellWeights[], matrix: Each, vector: Each): CellWeights[] {
  const { cell, inputSize, hiddenSize: H, projSize: P, direction } = spec
  const D = direction === 'bidirectional' ? 2 : 1
  const O = P || H
  const rows = cells[cell].gates * H
  const made: CellWeights[] = []
  for (let i = 0; i < all.length; i++) {
    const { weightIh, weightHh, biasIh, biasHh, weightHr, peephole } = all[i]
    made[i] = {
      weightIh: matrix(weightIh, rows, i < D ? inputSize : D * O),
      weightHh: matrix(weightHh, rows, O),
      biasIh: biasIh && vector(biasIh, rows, 1),
      biasHh: biasHh && vector(biasHh, rows, 1),
      weightHr: weightHr && matrix(weightHr, P, H),
      peephole: peephole && vector(peephole, 3 * H, 1),
    }
  }
  return made
}

const same: Each = (values) => values

/** Rounds plain weights to their format. */
export function keepWeights(spec: NetworkSpec, plain: readonly CellWeights[]): readonly CellWeights[] {
  if (spec.weights === 'f32') return plain
  return mapped(spec, plain, (values, rows, columns) => keep(spec.weights, values, rows, columns), same)
}

/** Kept weights as float32 numbers; copies. */
export function plainWeights(spec: NetworkSpec, kept: readonly CellWeights[]): CellWeights[] {
  const plain: Each = (memory, rows, columns) => new KeptMatrix(spec.weights, memory, rows, columns).plain()
  return mapped(spec, kept, plain, copyOf)
}

/** Kept weights in shared memory. */
export function sharedWeights(spec: NetworkSpec, kept: readonly CellWeights[]): CellWeights[] {
  return mapped(spec, kept, sharedCopy, sharedCopy)
}

/** Bytes of all weights as they are kept, scales and biases included. */
export function bytesOfWeights(spec: NetworkSpec, kept: readonly CellWeights[]): number {
  let bytes = 0
  const matrix: Each = (memory, rows, columns) => {
    bytes += new KeptMatrix(spec.weights, memory, rows, columns).bytes
    return memory
  }
  const vector: Each = (values) => {
    bytes += bytesIn(values)
    return values
  }
  mapped(spec, kept, matrix, vector)
  return bytes
}

/** Whether shared weights have the lengths that the sizes ask for, in memory that cannot be detached. */
export function fits(spec: NetworkSpec, weights: readonly (CellWeights | undefined)[]): boolean {
  const { cell, inputSize, hiddenSize: H, projSize: P, numLayers, bias, direction } = spec
  const D = direction === 'bidirectional' ? 2 : 1
  const O = P || H
  const rows = cells[cell].gates * H
  const holds = (values: Float32Array | undefined, length: number) =>
    length === 0 ? values === undefined : sharedView(values) !== undefined && trueLength(values!) === length
  const matrix = (values: Float32Array | undefined, height: number, width: number) =>
    holds(values, keptLength(spec.weights, height, width))
  if (weights.length !== numLayers * D) return false
  for (let index = 0; index < weights.length; index++) {
    const own = weights[index]
    const fit =
      typeof own === 'object' &&
      own !== null &&
      matrix(own.weightIh, rows, index < D ? inputSize : D * O) &&
      matrix(own.weightHh, rows, O) &&
      holds(own.biasIh, bias ? rows : 0) &&
      holds(own.biasHh, bias ? rows : 0) &&
      matrix(own.weightHr, P, H) &&
      holds(own.peephole, cells[cell].peepholes ? 3 * H : 0)
    if (!fit) return false
  }
  return true
}
