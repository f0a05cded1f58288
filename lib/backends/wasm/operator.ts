/** An operator in the module's memory. */
import { zeros } from '../../intrinsics/captured.ts'
import { trueLength } from '../../intrinsics/typed-arrays.ts'
import { type OperatorKind, operatorTraits } from '../../spec/operator-traits.ts'
import type { Precision, WeightType } from '../../spec/weight-types.ts'
import type { OperatorCore } from '../interface.ts'
import { precisionNumbers, readOperator, scaledArrays } from '../packing.ts'
import { operatorNumber } from '../protocol.ts'
import type { WasmInstance } from './instance.ts'
import { newPacked, type Owned, type Use, usedBy } from './owned.ts'

/** An operator with its weights. */
export function newPackedOperator(
  instance: WasmInstance,
  kind: OperatorKind,
  sizes: readonly number[],
  precision: readonly number[],
  weights: readonly (Float32Array | undefined)[],
): { owned: Owned; bytes: number } {
  const numbers = [operatorNumber[kind]]
  for (let i = 0; i < sizes.length; i++) numbers[numbers.length] = sizes[i]
  for (let i = 0; i < precision.length; i++) numbers[numbers.length] = precision[i]
  const { operatorBytes, operatorNew, operatorFree, operatorPack } = instance.exports
  return newPacked(instance, numbers, operatorBytes, operatorNew, operatorFree, ({ address }) => {
    const lengths = operatorTraits[kind].lengths(sizes)
    const own: number[] = []
    for (let i = 0; i < weights.length; i++) own[i] = weights[i] ? lengths[i] : 0
    instance.withArrays(own, (addresses) => {
      for (let i = 0; i < weights.length; i++) {
        const values = weights[i]
        if (values) instance.put(addresses[i], values, lengths[i])
      }
      instance.guarded(() => operatorPack(address, instance.putAddresses(addresses)))
    })
  })
}

export class WasmOperator implements OperatorCore {
  readonly weightBytes: number
  readonly #use: Use
  readonly #kind: OperatorKind
  readonly #sizes: readonly number[]
  readonly #type: WeightType

  constructor(
    instance: WasmInstance,
    kind: OperatorKind,
    sizes: readonly number[],
    weights: readonly (Float32Array | undefined)[],
    precision: Precision,
  ) {
    const arrays = scaledArrays(weights[0]!, weights[1], precision.weights)
    const { owned, bytes } = newPackedOperator(instance, kind, sizes, precisionNumbers(precision), arrays)
    this.weightBytes = bytes
    this.#use = usedBy(this, owned)
    this.#kind = kind
    this.#sizes = sizes
    this.#type = precision.weights
  }

  run(x: Float32Array, rows: number, into?: Float32Array): Float32Array {
    const { instance, address } = this.#use.owned
    const { inputLength, outputLength } = operatorTraits[this.#kind]
    const inputs = inputLength(this.#sizes, rows)
    const outputs = outputLength(this.#sizes, rows)
    const y = into ?? zeros(outputs)
    instance.ensureRoom()
    const memory = instance.allocateOrArena(inputs + outputs)
    const to = memory + inputs * 4
    try {
      instance.put(memory, x, inputs)
      instance.guarded(() => instance.exports.operatorRun(address, memory, rows, to))
      instance.getInto(to, outputs, y)
    } finally {
      instance.release(memory)
    }
    return y
  }

  weights(): Float32Array[] {
    const { instance, address } = this.#use.owned
    return readOperator(this.#kind, this.#sizes, this.#type, (arrays) => {
      const lengths: number[] = []
      for (let i = 0; i < arrays.length; i++) lengths[i] = arrays[i] ? trueLength(arrays[i]!) : 0
      instance.ensureRoom()
      instance.withArrays(lengths, (addresses) => {
        instance.guarded(() => instance.exports.operatorUnpack(address, instance.putAddresses(addresses)))
        for (let i = 0; i < arrays.length; i++) {
          const values = arrays[i]
          if (values) instance.getInto(addresses[i], lengths[i], values)
        }
      })
    })
  }

  dispose(): void {
    this.#use.end()
  }
}
