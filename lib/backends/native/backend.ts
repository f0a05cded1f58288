/** One set of kernels of the addon as a backend: makes networks and operators of checked sizes and weights. */

import type { Plan } from '../../graph/plan.ts'
import { sharedView, trueLength } from '../../intrinsics/typed-arrays.ts'
import type { OperatorKind } from '../../spec/operator-traits.ts'
import type { BackendName, CellWeights, NetworkSpec } from '../../spec/spec.ts'
import type { Precision } from '../../spec/weight-types.ts'
import type { Fill } from '../../weights/random.ts'
import type { Backend, Network, OperatorCore, Program, WeightStore } from '../interface.ts'
import {
  listWeights,
  packedLength,
  packedMemory,
  precisionNumbers,
  scaledArrays,
  specNumbers,
  withScales,
} from '../packing.ts'
import { hasElements } from '../program/lowering.ts'
import { operatorNumber } from '../protocol.ts'
import type { Addon } from './addon.ts'
import { threadOf } from './environment.ts'
import { NativeNetwork } from './network.ts'
import { NativeOperator } from './operator.ts'
import { NativeProgram } from './program.ts'

/** One instruction set of the addon. */
export class NativeBackend implements Backend {
  readonly name: BackendName
  readonly fill: Fill = (state, target, begin, end, bound) => this.#addon.uniform(state, target, begin, end, bound)
  readonly takes = hasElements
  readonly #addon: Addon
  readonly #table: number

  constructor(addon: Addon, name: BackendName, table: number) {
    this.#addon = addon
    this.name = name
    this.#table = table
  }

  network(spec: NetworkSpec, weights: readonly CellWeights[]): Network {
    const floats = this.#floatsOf(spec)
    return this.#open(spec, floats, packedMemory(floats), listWeights(withScales(spec, weights)))
  }

  adopt(spec: NetworkSpec, shared: unknown): Network | undefined {
    const memory = sharedView(shared)
    const floats = this.#floatsOf(spec)
    return memory && trueLength(memory) === packedLength(floats) ? this.#open(spec, floats, memory) : undefined
  }

  #floatsOf(spec: NetworkSpec): number {
    return this.#addon.networkFloats(this.#table, specNumbers(spec))
  }

  /** A network in this memory, which has its weights already where none are given. */
  #open(spec: NetworkSpec, floats: number, memory: Float32Array, weights?: (Float32Array | undefined)[]): Network {
    const thread = threadOf(this.#addon)
    const call = this.#addon.network(this.#table, specNumbers(spec), spec.threads, memory, weights)
    return new NativeNetwork(thread, spec, call, memory, floats)
  }

  operator(
    kind: OperatorKind,
    sizes: readonly number[],
    weights: readonly (Float32Array | undefined)[],
    precision: Precision,
  ): OperatorCore {
    const thread = threadOf(this.#addon)
    const number = operatorNumber[kind]
    const numbers = precisionNumbers(precision)
    const floats = this.#addon.operatorFloats(this.#table, number, sizes, numbers)
    const memory = packedMemory(floats)
    const arrays = scaledArrays(weights[0]!, weights[1], precision.weights)
    const call = this.#addon.operator(this.#table, number, sizes, numbers, memory, arrays)
    return new NativeOperator(thread, kind, sizes, call, floats, precision.weights)
  }

  program(plan: Plan, store: WeightStore, threads: number, precision: Precision): Program {
    return new NativeProgram(threadOf(this.#addon), this.#table, plan, store, threads, precision)
  }
}
