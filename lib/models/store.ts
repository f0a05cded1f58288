/** Weights of one model as its backend has packed them: each made once, and found again in other threads by the number of its constant. */

import type { WeightStore } from '../backends/interface.ts'
import type { FlatGraph } from '../graph/plan.ts'
import type { GraphTensor } from '../graph/tensor.ts'
import { bytesIn, mapGet, mapSet, weakGet, weakSet } from '../intrinsics/captured.ts'

/** Packed weights as a handle carries them. */
export interface SharedPacked {
  /** The number of the constant's value. */
  readonly value: number
  readonly key: string
  readonly memory: Float32Array
}

export class ModelStore implements WeightStore {
  /** Of a constant that the graph has: its number. What plans compute by themselves has none. */
  readonly #numbers = new WeakMap<GraphTensor, number>()
  readonly #byNumber = new Map<string, SharedPacked>()
  readonly #others = new WeakMap<GraphTensor, Map<string, Float32Array>>()

  constructor(graph: FlatGraph, shared: readonly SharedPacked[] = []) {
    this.use(graph)
    for (const packed of shared) this.#byNumber.set(keyOf(packed.value, packed.key), packed)
  }

  /** Knows the constants of a graph whose values have the same numbers. */
  use(graph: FlatGraph): void {
    for (const [value, tensor] of graph.constants) weakSet(this.#numbers, tensor, value)
  }

  numberOf(constant: GraphTensor): number | undefined {
    return weakGet(this.#numbers, constant)
  }

  packed(constant: GraphTensor, key: string, make: () => Float32Array): Float32Array {
    const value = this.numberOf(constant)
    if (value === undefined) return this.#other(constant, key, make)
    const id = keyOf(value, key)
    const known = mapGet(this.#byNumber, id)
    if (known !== undefined) return known.memory
    const memory = make()
    mapSet(this.#byNumber, id, { value, key, memory })
    return memory
  }

  #other(constant: GraphTensor, key: string, make: () => Float32Array): Float32Array {
    const all = weakGet(this.#others, constant) ?? new Map<string, Float32Array>()
    weakSet(this.#others, constant, all)
    const memory = mapGet(all, key) ?? make()
    mapSet(all, key, memory)
    return memory
  }

  /** What other threads need not pack again. */
  share(): SharedPacked[] {
    return [...this.#byNumber.values()].map((packed) => ({ ...packed }))
  }

  /** Bytes of all that is packed. */
  get bytes(): number {
    let bytes = 0
    for (const { memory } of this.#byNumber.values()) bytes += bytesIn(memory)
    return bytes
  }
}

const keyOf = (value: number, key: string) => `${value}:${key}`
