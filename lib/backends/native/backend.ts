/** One set of kernels of the addon as a backend: makes networks and operators of checked sizes and weights. */

import { newSharedFloats } from '../../intrinsics/captured.ts'
import { sharedView, trueLength } from '../../intrinsics/typed-arrays.ts'
import type { CellFunctions } from '../../spec/cell-functions.ts'
import type { OperatorKind } from '../../spec/operator-traits.ts'
import type { BackendName, CellWeights, NetworkSpec } from '../../spec/spec.ts'
import type { Fill } from '../../weights/random.ts'
import type { Backend, Network, OperatorCore } from '../interface.ts'
import {
  activationNumber,
  cellNumber,
  directionNumber,
  functionFields,
  functionsFields,
  operatorNumber,
  specFields,
} from '../protocol.ts'
import type { Addon } from './addon.ts'
import { threadOf } from './environment.ts'
import { listWeights, NativeNetwork } from './network.ts'
import { NativeOperator } from './operator.ts'

/** One instruction set of the addon. */
export class NativeBackend implements Backend {
  readonly name: BackendName
  readonly fill: Fill = (state, target, begin, end, bound) => this.#addon.uniform(state, target, begin, end, bound)
  readonly #addon: Addon
  readonly #table: number

  constructor(addon: Addon, name: BackendName, table: number) {
    this.#addon = addon
    this.name = name
    this.#table = table
  }

  network(spec: NetworkSpec, weights: readonly CellWeights[]): Network {
    const thread = threadOf(this.#addon)
    const numbers = specNumbers(spec)
    const memory = packedMemory(this.#addon.networkFloats(this.#table, numbers))
    const call = this.#addon.network(this.#table, numbers, spec.threads, memory, listWeights(weights))
    return new NativeNetwork(thread, spec, call, memory)
  }

  adopt(spec: NetworkSpec, shared: unknown): Network | undefined {
    const thread = threadOf(this.#addon)
    const numbers = specNumbers(spec)
    const memory = sharedView(shared)
    if (!memory || trueLength(memory) !== packedLength(this.#addon.networkFloats(this.#table, numbers)))
      return undefined
    return new NativeNetwork(thread, spec, this.#addon.network(this.#table, numbers, spec.threads, memory), memory)
  }

  operator(kind: OperatorKind, sizes: readonly number[], weights: readonly (Float32Array | undefined)[]): OperatorCore {
    const thread = threadOf(this.#addon)
    const number = operatorNumber[kind]
    const memory = packedMemory(this.#addon.operatorFloats(this.#table, number, sizes))
    const call = this.#addon.operator(this.#table, number, sizes, memory, weights)
    return new NativeOperator(thread, kind, sizes, call)
  }
}

function specNumbers(spec: NetworkSpec): number[] {
  const { cell, direction, functions } = spec
  const numbers = { ...spec, cell: cellNumber[cell], direction: directionNumber[direction] }
  const list: number[] = []
  for (let i = 0; i < specFields.length; i++) list[i] = +numbers[specFields[i]]
  return functions ? withFunctions(list, functions) : list
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
function packedMemory(floats: number): Float32Array {
  return newSharedFloats(packedLength(floats))
}

function packedLength(floats: number): number {
  return floats + 16
}
