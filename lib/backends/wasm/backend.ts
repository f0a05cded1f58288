/** The module as a backend: makes networks and operators of checked sizes and weights. */
import type { Plan } from '../../graph/plan.ts'
import { trueLength, typedArrayName } from '../../intrinsics/typed-arrays.ts'
import type { OperatorKind } from '../../spec/operator-traits.ts'
import type { CellWeights, NetworkSpec } from '../../spec/spec.ts'
import type { Precision } from '../../spec/weight-types.ts'
import type { Backend, Network, OperatorCore, Program, WeightStore } from '../interface.ts'
import { specNumbers, withScales } from '../packing.ts'
import { hasElements } from '../program/lowering.ts'
import { WasmInstance } from './instance.ts'
import { newNetwork } from './layers.ts'
import { WasmNetwork } from './network.ts'
import { WasmOperator } from './operator.ts'
import { WasmProgram } from './program.ts'
import type { Module } from './webassembly.ts'

export class WasmBackend implements Backend {
  readonly name = 'wasm'
  readonly #instance: WasmInstance

  readonly takes = hasElements

  constructor(module: Module) {
    this.#instance = new WasmInstance(module)
  }

  network(spec: NetworkSpec, weights: readonly CellWeights[]): Network {
    const { owned, bytes } = newNetwork(this.#instance, specNumbers(spec), withScales(spec, weights))
    return new WasmNetwork(owned, spec, bytes)
  }

  adopt(spec: NetworkSpec, shared: unknown): Network | undefined {
    if (typedArrayName(shared) !== 'Float32Array') return undefined
    const instance = this.#instance
    const packed = shared as Float32Array
    const numbers = specNumbers(spec)
    instance.ensureRoom()
    const floats = (instance.guarded(() => instance.exports.networkBytes(instance.putNumbers(numbers))) >>> 0) / 4
    if (floats === 0 || trueLength(packed) !== floats) return undefined
    const { owned, bytes } = newNetwork(instance, numbers)
    // A copy: whoever else has the memory cannot change this network's weights.
    instance.put(instance.exports.networkMemory(owned.address), packed, floats)
    return new WasmNetwork(owned, spec, bytes)
  }

  operator(
    kind: OperatorKind,
    sizes: readonly number[],
    weights: readonly (Float32Array | undefined)[],
    precision: Precision,
  ): OperatorCore {
    return new WasmOperator(this.#instance, kind, sizes, weights, precision)
  }

  program(plan: Plan, store: WeightStore, _threads: number, precision: Precision): Program {
    return new WasmProgram(this.#instance, plan, store, precision)
  }
}
