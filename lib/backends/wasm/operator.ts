/** An operator in the module's memory. */
import { zeros } from '../../intrinsics/captured.ts'
import { trueLength } from '../../intrinsics/typed-arrays.ts'
import { rowScales, setScales } from '../../precision/scales.ts'
import { type OperatorKind, operatorTraits } from '../../spec/operator-traits.ts'
import type { Precision, WeightType } from '../../spec/weight-types.ts'
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
  const arrays = [weights[0], weights[1], precision.weights === 'int8' ? rowScales(weights[0]!) : undefined]
  const { weightLength, biasLength, weightRows } = operatorTraits[kind]
  const lengths = [weightLength(sizes), biasLength(sizes), weightRows(sizes)]
  const { owned, bytes } = newPackedOperator(instance, numbers, arrays, lengths)
  return new WasmOperator(owned, kind, sizes, bytes, precision.weights)
}

/** An operator with its weights; `numbers` are its kind, its sizes, and its precision, `lengths` what each array has. */
export function newPackedOperator(
  instance: WasmInstance,
  numbers: readonly number[],
  weights: readonly (Float32Array | undefined)[],
  lengths: readonly number[],
): { owned: Owned; bytes: number } {
  const { exports } = instance
  instance.ensureRoom()
  const bytes = instance.guarded(() => exports.operatorBytes(instance.putNumbers(numbers))) >>> 0
  const address = instance.guarded(() => exports.operatorNew(instance.putNumbers(numbers)))
  if (address === 0) throw outOfMemory()
  const owned = new Owned(instance, address, exports.operatorFree)
  try {
    pack(owned, weights, lengths)
    return { owned, bytes }
  } catch (error) {
    owned.release()
    throw error
  }
}

function pack(owned: Owned, weights: readonly (Float32Array | undefined)[], lengths: readonly number[]): void {
  const { instance, address } = owned
  withArrays(instance, weights, lengths, (addresses) => {
    for (let i = 0; i < weights.length; i++) {
      const values = weights[i]
      if (values) instance.put(addresses[i], values, lengths[i])
    }
    instance.guarded(() => instance.exports.operatorPack(address, instance.putAddresses(addresses)))
  })
}

/** Memory for as many numbers as these arrays have while `use` runs; no address for what is left out. */
function withArrays(
  instance: WasmInstance,
  arrays: readonly (Float32Array | undefined)[],
  lengths: readonly number[],
  use: (addresses: readonly number[]) => void,
): void {
  let floats = 0
  for (let i = 0; i < arrays.length; i++) floats += arrays[i] ? lengths[i] : 0
  const memory = instance.allocate(floats)
  const addresses: number[] = []
  let at = memory
  for (let i = 0; i < arrays.length; i++) {
    addresses[i] = arrays[i] ? at : 0
    at += arrays[i] ? lengths[i] * 4 : 0
  }
  try {
    use(addresses)
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
  readonly #type: WeightType

  constructor(owned: Owned, kind: OperatorKind, sizes: readonly number[], bytes: number, type: WeightType) {
    this.#type = type
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

  weights(): Float32Array[] {
    const instance = this.#instance
    const { address } = this.#use.owned
    const { weightLength, biasLength, weightRows } = operatorTraits[this.#kind]
    const weight = zeros(weightLength(this.#sizes))
    const bias = zeros(biasLength(this.#sizes))
    const scales = this.#type === 'int8' ? zeros(weightRows(this.#sizes)) : undefined
    const arrays = [weight, bias, scales]
    const lengths = [trueLength(weight), trueLength(bias), weightRows(this.#sizes)]
    instance.ensureRoom()
    withArrays(instance, arrays, lengths, (addresses) => {
      instance.guarded(() => instance.exports.operatorUnpack(address, instance.putAddresses(addresses)))
      for (let i = 0; i < arrays.length; i++) {
        const values = arrays[i]
        if (values) instance.getInto(addresses[i], lengths[i], values)
      }
    })
    setScales(weight, scales)
    return [weight, bias]
  }

  dispose(): void {
    this.#use.end()
  }
}
