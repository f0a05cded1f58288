/** An operator in the module's memory. */
import { zeros } from '../../intrinsics/captured.ts'
import { trueLength } from '../../intrinsics/typed-arrays.ts'
import { type OperatorKind, operatorTraits } from '../../spec/operator-traits.ts'
import type { Precision } from '../../spec/weight-types.ts'
import type { OperatorCore } from '../interface.ts'
import { precisionNumbers } from '../packing.ts'
import { arenaLength, operatorNumber } from '../protocol.ts'
import { outOfMemory, type WasmInstance } from './instance.ts'
import { Owned, type Use, usedBy } from './owned.ts'

export function newOperator(
  instance: WasmInstance,
  kind: OperatorKind,
  sizes: readonly number[],
  weights: readonly (Float32Array | undefined)[],
  precision: Precision,
): OperatorCore {
  const numbers = [operatorNumber[kind]]
  for (let i = 0; i < sizes.length; i++) numbers[numbers.length] = sizes[i]
  const kept = precisionNumbers(precision)
  for (let i = 0; i < kept.length; i++) numbers[numbers.length] = kept[i]
  const { owned, bytes } = newPackedOperator(instance, numbers, weights)
  return new WasmOperator(owned, kind, sizes, bytes)
}

/** An operator with its weights; `numbers` are its kind, its sizes, and its precision. */
export function newPackedOperator(
  instance: WasmInstance,
  numbers: readonly number[],
  weights: readonly (Float32Array | undefined)[],
): { owned: Owned; bytes: number } {
  const { exports } = instance
  instance.ensureRoom()
  const bytes = instance.guarded(() => exports.operatorBytes(instance.putNumbers(numbers))) >>> 0
  const address = instance.guarded(() => exports.operatorNew(instance.putNumbers(numbers)))
  if (address === 0) throw outOfMemory()
  const owned = new Owned(instance, address, exports.operatorFree)
  try {
    pack(owned, weights)
    return { owned, bytes }
  } catch (error) {
    owned.release()
    throw error
  }
}

function pack({ instance, address }: Owned, weights: readonly (Float32Array | undefined)[]): void {
  const addresses: number[] = []
  let floats = 0
  for (let i = 0; i < weights.length; i++) floats += weights[i] ? trueLength(weights[i]!) : 0
  const memory = instance.allocate(floats)
  let at = memory
  try {
    for (let i = 0; i < weights.length; i++) {
      const values = weights[i]
      addresses[i] = values ? at : 0
      if (!values) continue
      const length = trueLength(values)
      instance.put(at, values, length)
      at += length * 4
    }
    instance.guarded(() => instance.exports.operatorPack(address, instance.putAddresses(addresses)))
  } finally {
    instance.release(memory)
  }
}

class WasmOperator implements OperatorCore {
  readonly weightBytes: number
  readonly #instance: WasmInstance
  readonly #use: Use
  readonly #kind: OperatorKind
  readonly #sizes: readonly number[]

  constructor(owned: Owned, kind: OperatorKind, sizes: readonly number[], bytes: number) {
    this.weightBytes = bytes
    this.#instance = owned.instance
    this.#use = usedBy(this, owned)
    this.#kind = kind
    this.#sizes = sizes
  }

  run(x: Float32Array, rows: number, into?: Float32Array): Float32Array {
    const instance = this.#instance
    const { address } = this.#use.owned
    const { inputLength, outputLength } = operatorTraits[this.#kind]
    const inputs = inputLength(this.#sizes, rows)
    const outputs = outputLength(this.#sizes, rows)
    const y = into ?? zeros(outputs)
    instance.ensureRoom()
    const isSmall = inputs + outputs <= arenaLength
    const memory = isSmall ? instance.arena : instance.allocate(inputs + outputs)
    const to = memory + inputs * 4
    try {
      instance.put(memory, x, inputs)
      instance.guarded(() => instance.exports.operatorRun(address, memory, rows, to))
      instance.getInto(to, outputs, y)
    } finally {
      if (!isSmall) instance.release(memory)
    }
    return y
  }

  dispose(): void {
    this.#use.end()
  }
}
