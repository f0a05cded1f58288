/** The weights of a network as this backend keeps them: matrices in the format that the specification asks for, vectors in float32. */

import { bytesIn, copyOf, create } from '../../intrinsics/captured.ts'
import { isObject } from '../../intrinsics/properties.ts'
import { sharedView, trueLength } from '../../intrinsics/typed-arrays.ts'
import { KeptMatrix, keep, keptLength } from '../../precision/kept.ts'
import { type CellWeights, directionsOf, type NetworkSpec, outputSizeOf } from '../../spec/spec.ts'
import { sharedCopy } from './arrays.ts'
import { cells } from './cells/index.ts'

type Field = keyof CellWeights

/** Calls `matrix` and `vector` for what a layer and direction may have; of what it has not the sizes are 0. */
function eachArray(
  spec: NetworkSpec,
  index: number,
  matrix: (field: Field, rows: number, columns: number) => void,
  vector: (field: Field, length: number) => void,
): void {
  const { cell, inputSize, hiddenSize: H, projSize: P, bias } = spec
  const { gates, peepholes } = cells[cell]
  const D = directionsOf(spec)
  const O = outputSizeOf(spec)
  const rows = gates * H
  matrix('weightIh', rows, index < D ? inputSize : D * O)
  matrix('weightHh', rows, O)
  vector('biasIh', bias ? rows : 0)
  vector('biasHh', bias ? rows : 0)
  matrix('weightHr', P, H)
  vector('peephole', peepholes ? 3 * H : 0)
}

/** Arrays of each layer and direction, each made of the one it stands for; of a matrix, rows · columns values. */
function mapped(
  spec: NetworkSpec,
  all: readonly CellWeights[],
  matrix: (values: Float32Array, rows: number, columns: number) => Float32Array,
  vector: (values: Float32Array) => Float32Array,
): CellWeights[] {
  const made: CellWeights[] = []
  for (let i = 0; i < all.length; i++) {
    const own = all[i]
    // Without a prototype: what a script adds to all objects is no weight.
    const one: { [K in Field]?: Float32Array | undefined } = create(null)
    const ofMatrix = (field: Field, rows: number, columns: number) => {
      one[field] = own[field] && matrix(own[field], rows, columns)
    }
    eachArray(spec, i, ofMatrix, (field) => {
      one[field] = own[field] && vector(own[field])
    })
    made[i] = one as CellWeights
  }
  return made
}

/** Rounds plain weights to their format. */
export function keepWeights(spec: NetworkSpec, plain: readonly CellWeights[]): readonly CellWeights[] {
  if (spec.weights === 'f32') return plain
  const matrix = (values: Float32Array, rows: number, columns: number) => keep(spec.weights, values, rows, columns)
  return mapped(spec, plain, matrix, (values) => values)
}

/** Kept weights as float32 numbers; copies. */
export function plainWeights(spec: NetworkSpec, kept: readonly CellWeights[]): CellWeights[] {
  const plain = (memory: Float32Array, rows: number, columns: number) =>
    new KeptMatrix(spec.weights, memory, rows, columns).plain()
  return mapped(spec, kept, plain, copyOf)
}

/** Kept weights in shared memory. */
export function sharedWeights(spec: NetworkSpec, kept: readonly CellWeights[]): CellWeights[] {
  return mapped(spec, kept, sharedCopy, sharedCopy)
}

/** Bytes of all weights as they are kept, scales and biases included. */
export function bytesOfWeights(spec: NetworkSpec, kept: readonly CellWeights[]): number {
  let bytes = 0
  const matrix = (memory: Float32Array, rows: number, columns: number) => {
    bytes += new KeptMatrix(spec.weights, memory, rows, columns).bytes
    return memory
  }
  const vector = (values: Float32Array) => {
    bytes += bytesIn(values)
    return values
  }
  mapped(spec, kept, matrix, vector)
  return bytes
}

/** Whether shared weights have the lengths that the sizes ask for, in memory that cannot be detached. */
export function fits(spec: NetworkSpec, weights: readonly (CellWeights | undefined)[]): boolean {
  if (weights.length !== spec.numLayers * directionsOf(spec)) return false
  let fit = true
  for (let index = 0; index < weights.length; index++) {
    const own = weights[index]
    if (!isObject(own)) return false
    const vector = (field: Field, length: number) => {
      const values = own[field]
      const view = sharedView(values)
      fit &&= length === 0 ? values === undefined : view !== undefined && trueLength(view) === length
    }
    eachArray(spec, index, (field, rows, columns) => vector(field, keptLength(spec.weights, rows, columns)), vector)
  }
  return fit
}
