/** Weights of one model as its backend has packed them: each made once, and found again in other threads by the number of its constant. */

import type { WeightStore } from '../backends/interface.ts'
import type { PackedMemory } from '../backends/packed-memory.ts'
import type { FlatGraph } from '../graph/plan.ts'
import type { GraphTensor } from '../graph/tensor.ts'
import { bytesIn, mapDelete, mapGet, mapSet, weakGet, weakSet } from '../intrinsics/captured.ts'

/** Packed weights as a handle carries them. */
export interface SharedPacked {
  /** The number of the constant's value. */
  readonly value: number
  readonly key: string
  readonly memory: Float32Array
}

/** The same as the backend has them. */
interface Packed {
  readonly value: number
  readonly key: string
  readonly memory: PackedMemory
}

export class ModelStore implements WeightStore {
  /** Of a constant that the graph has: its number. What plans compute by themselves has none. */
  readonly #numbers = new WeakMap<GraphTensor, number>()
  readonly #byNumber = new Map<string, Packed>()
  /** Out of a handle, and not met yet. */
  readonly #given = new Map<string, SharedPacked>()
  readonly #others = new WeakMap<GraphTensor, Map<string, PackedMemory>>()

  constructor(graph: FlatGraph, shared: readonly SharedPacked[]) {
    this.use(graph)
    for (const packed of shared) mapSet(this.#given, keyOf(packed.value, packed.key), packed)
  }

  /** Knows the constants of a graph whose values have the same numbers. */
  use(graph: FlatGraph): void {
    for (const [value, tensor] of graph.constants) weakSet(this.#numbers, tensor, value)
  }

  numberOf(constant: GraphTensor): number | undefined {
    return weakGet(this.#numbers, constant)
  }

  packed<Memory extends PackedMemory>(
    constant: GraphTensor,
    key: string,
    make: () => Memory,
    adopt: (shared: Float32Array) => Memory,
  ): Memory {
    const value = this.numberOf(constant)
    if (value === undefined) return this.#other(constant, key, make)
    const id = keyOf(value, key)
    const known = mapGet(this.#byNumber, id)
    if (known !== undefined) return known.memory as Memory
    const given = mapGet(this.#given, id)
    const memory = given === undefined ? make() : adopt(given.memory)
    mapDelete(this.#given, id)
    mapSet(this.#byNumber, id, { value, key, memory })
    memory.retain()
    return memory
  }

  /** These are their programs' alone: a plan that is made again computes its constants again. */
  #other<Memory extends PackedMemory>(constant: GraphTensor, key: string, make: () => Memory): Memory {
    const all = weakGet(this.#others, constant) ?? new Map<string, PackedMemory>()
    weakSet(this.#others, constant, all)
    const known = mapGet(all, key)
    if (known !== undefined && !known.isGone) return known as Memory
    const memory = make()
    mapSet(all, key, memory)
    return memory
  }

  /** What other threads need not pack again. */
  share(): SharedPacked[] {
    const own = [...this.#byNumber.values()].map((packed) => ({ ...packed, memory: packed.memory.shared() }))
    return [...own, ...this.#given.values()]
  }

  /** Bytes of all that is packed. */
  get bytes(): number {
    let bytes = 0
    for (const { memory } of this.#byNumber.values()) bytes += memory.bytes
    for (const { memory } of this.#given.values()) bytes += bytesIn(memory)
    return bytes
  }

  /** Lets go of what it has, when nobody makes programs any more. */
  release(): void {
    for (const { memory } of this.#byNumber.values()) memory.release()
    this.#byNumber.clear()
  }
}

const keyOf = (value: number, key: string) => `${value}:${key}`
