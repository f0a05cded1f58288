/** Packed weights of models in the module's memory: once a model, whatever programs it has. */
import { trueLength } from '../../intrinsics/typed-arrays.ts'
import type { PackedMemory } from '../packed-memory.ts'
import type { Packer } from '../program/weights.ts'
import type { WasmInstance } from './instance.ts'
import { newNetwork } from './layers.ts'
import { newPackedOperator } from './operator.ts'
import { Owned, type Use, usedBy } from './owned.ts'

/** Multiply-adds of a millisecond or two: instructions of a program are cut so far, for runs in turns. */
const mostWork = 4e6

export class WasmWeights implements PackedMemory {
  readonly instance: WasmInstance
  /** In the module's memory. */
  readonly address: number
  readonly floats: number
  readonly #use: Use
  #users = 0

  /** @param owned what has the memory: its one use passes to the weights */
  constructor(owned: Owned, address: number, floats: number) {
    this.instance = owned.instance
    this.address = address
    this.floats = floats
    this.#use = usedBy(this, owned)
  }

  get bytes(): number {
    return this.floats * 4
  }

  retain(): void {
    this.#users++
  }

  release(): void {
    if (--this.#users === 0) this.#use.end()
  }

  get isGone(): boolean {
    return this.#use.hasEnded
  }

  /** A copy, which stays as it is. */
  shared(): Float32Array {
    return this.instance.getShared(this.address, this.floats)
  }
}

/** What packs weights of models into the module's memory. */
export function packerOf(instance: WasmInstance): Packer {
  const { exports } = instance
  return {
    mostWork,
    dense(K, N, precision, arrays) {
      const { owned, bytes } = newPackedOperator(instance, 'linear', [K, N], precision, arrays)
      return new WasmWeights(owned, exports.operatorMemory(owned.address), bytes / 4)
    },
    network(numbers, weights) {
      const { owned, bytes } = newNetwork(instance, numbers, weights)
      return new WasmWeights(owned, exports.networkMemory(owned.address), bytes / 4)
    },
    adopt(shared) {
      const floats = trueLength(shared)
      const owned = Owned.memory(instance, floats)
      return owned.filledBy(() => {
        const { address } = owned
        instance.put(address, shared, floats)
        return new WasmWeights(owned, address, floats)
      })
    },
  }
}
