/** The packed weights of a program, in the order of its numbers; it alone knows how a key says what a memory was made of. */

import { scalesOfOutputs } from '../../../graph/scales.ts'
import type { GraphTensor } from '../../../graph/tensor.ts'
import { rowScales, setScales } from '../../../precision/scales.ts'
import type { CellWeights, NetworkSpec } from '../../../spec/spec.ts'
import type { Precision } from '../../../spec/weight-types.ts'
import type { WeightStore } from '../../interface.ts'
import { operatorNumber } from '../../protocol.ts'
import type { Addon } from '../addon.ts'
import { listPlain, packedMemory, precisionNumbers, specNumbers } from '../packing.ts'

/** N rows of K weights, and N biases. */
export interface Dense {
  readonly weight: Float32Array
  readonly bias: Float32Array | undefined
}

export class PackedWeights {
  readonly memories: Float32Array[] = []
  readonly #addon: Addon
  readonly #table: number
  readonly #store: WeightStore
  /** Of matrices and networks. */
  readonly precision: Precision

  constructor(addon: Addon, table: number, store: WeightStore, precision: Precision) {
    this.#addon = addon
    this.#table = table
    this.#store = store
    this.precision = precision
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
    precision: Precision = this.precision,
    firstOutput = 0,
  ): number {
    const kind = operatorNumber.linear
    const numbers = precisionNumbers(precision)
    const packed = this.#store.packed(constant, `linear ${numbers} ${K} ${N} ${key}`, () => {
      const { weight, bias } = make()
      if (precision.weights === 'int8') setScales(weight, scalesOfOutputs(constant, N, firstOutput))
      const scales = precision.weights === 'int8' ? rowScales(weight) : undefined
      const memory = packedMemory(this.#addon.operatorFloats(this.#table, kind, [K, N], numbers))
      // What comes back is left to the garbage collector: disposed of, it would empty the memory.
      this.#addon.operator(this.#table, kind, [K, N], numbers, memory, [weight, bias, scales])
      return memory
    })
    return this.memories.push(packed) - 1
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
    const packed = this.#store.packed(constant, `network ${numbers} ${key}`, () => {
      const memory = packedMemory(this.#addon.networkFloats(this.#table, numbers))
      this.#addon.network(this.#table, numbers, 1, memory, listPlain(make(), spec.weights))
      return memory
    })
    return this.memories.push(packed) - 1
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
