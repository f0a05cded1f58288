/** The packed weights of a program, in the order of its numbers; it alone knows how a key says what a memory was made of. */

import { scalesOfOutputs } from '../../graph/scales.ts'
import type { GraphTensor } from '../../graph/tensor.ts'
import { setScales } from '../../precision/scales.ts'
import type { CellWeights, NetworkSpec } from '../../spec/spec.ts'
import type { Precision } from '../../spec/weight-types.ts'
import type { WeightStore } from '../interface.ts'
import type { PackedMemory } from '../packed-memory.ts'
import { precisionNumbers, scaledArrays, specNumbers, withScales } from '../packing.ts'

/** N rows of K weights, and N biases. */
export interface Dense {
  readonly weight: Float32Array
  readonly bias: Float32Array | undefined
}

/** What packs weights for one set of kernels; numbers are those of lib/backends/packing.ts. */
export interface Packer {
  /** The memory of a matrix, K inputs and N outputs: its weights, biases, and scales of its rows. */
  dense(K: number, N: number, precision: readonly number[], arrays: readonly (Float32Array | undefined)[]): PackedMemory
  network(spec: readonly number[], weights: readonly CellWeights[]): PackedMemory
  /** Multiply-adds that an instruction may take as long as, where that counts. */
  readonly mostWork?: number
  /** Memory of what another thread has packed. */
  adopt(shared: Float32Array): PackedMemory
}

export class PackedWeights {
  readonly memories: PackedMemory[] = []
  readonly #packer: Packer
  readonly #store: WeightStore
  /** Of matrices and networks. */
  readonly precision: Precision

  constructor(packer: Packer, store: WeightStore, precision: Precision) {
    this.#packer = packer
    this.#store = store
    this.precision = precision
  }

  /** Lets go of all of them. */
  release(): void {
    for (const memory of this.memories) memory.release()
    this.memories.length = 0
  }

  #number(constant: GraphTensor, key: string, make: () => PackedMemory): number {
    const memory = this.#store.packed(constant, key, make, (shared) => this.#packer.adopt(shared))
    memory.retain()
    return this.memories.push(memory) - 1
  }

  /** Multiply-adds that an instruction may take as long as; undefined where it may take as long as it does. */
  get mostWork(): number | undefined {
    return this.#packer.mostWork
  }

  /** Whether weights are rounded: then no factor may be multiplied into them before. */
  get isRounded(): boolean {
    return this.precision.weights !== 'f32'
  }

  /**
   * The number of a packed matrix. `made` is asked where the store has none made of this constant by this key. Its outputs
   * are those of the constant from `firstOutput` on.
   */
  dense(
    constant: GraphTensor,
    key: string,
    K: number,
    N: number,
    make: () => Dense,
    firstOutput = 0,
    precision: Precision = this.precision,
  ): number {
    const numbers = precisionNumbers(precision)
    return this.#number(constant, `linear ${numbers} ${K} ${N} ${key}`, () => {
      const { weight, bias } = make()
      if (precision.weights === 'int8') setScales(weight, scalesOfOutputs(constant, N, firstOutput))
      return this.#packer.dense(K, N, numbers, scaledArrays(weight, bias, precision.weights))
    })
  }

  /** A short text for a constant, and another one for any other: of the model's own none is read for it. */
  nameOf(constant: GraphTensor | undefined): string {
    if (constant === undefined) return ''
    const number = this.#store.numberOf(constant)
    return number === undefined ? digest(constant.data) : `#${number}`
  }

  /** The number of a packed network, in the same way. */
  network(constant: GraphTensor, key: string, spec: NetworkSpec, make: () => readonly CellWeights[]): number {
    const numbers = specNumbers(spec)
    return this.#number(constant, `network ${numbers} ${key}`, () =>
      this.#packer.network(numbers, withScales(spec, make())),
    )
  }
}

/** A short text that differs where values differ. */
export function digest(...parts: readonly (ArrayBufferView | undefined)[]): string {
  let [a, b] = [0x811c9dc5, 0x9e3779b9]
  for (const part of parts) {
    const values = part ? wordsOf(part) : new Uint8Array()
    a = Math.imul(a ^ values.length, 0x85ebca6b)
    for (let i = 0; i < values.length; i++) {
      a = Math.imul(a ^ values[i], 0x01000193)
      a ^= a >>> 15
      b = Math.imul(b + values[i], 0x27d4eb2f) ^ (b >>> 15)
    }
  }
  return `${(a >>> 0).toString(36)}.${(b >>> 0).toString(36)}`
}

function wordsOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array | Uint32Array {
  const isWhole = byteOffset % 4 === 0 && byteLength % 4 === 0
  return isWhole ? new Uint32Array(buffer, byteOffset, byteLength / 4) : new Uint8Array(buffer, byteOffset, byteLength)
}
