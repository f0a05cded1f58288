/** An operator on the native backend: small rows go through the arena, large ones are arguments. */

import { copyFloats, copyOfRange, setValues } from '../../intrinsics/captured.ts'
import { type OperatorKind, operatorTraits } from '../../spec/operator-traits.ts'
import type { WeightType } from '../../spec/weight-types.ts'
import type { OperatorCore } from '../interface.ts'
import { readOperator } from '../packing.ts'
import { arenaLength, headerField, operatorOp } from '../protocol.ts'
import type { Bound } from './addon.ts'
import type { NativeThread } from './environment.ts'
import { uninitialized } from './uninitialized.ts'

export class NativeOperator implements OperatorCore {
  readonly #thread: NativeThread
  readonly #kind: OperatorKind
  readonly #sizes: readonly number[]
  readonly #call: Bound
  readonly #type: WeightType
  readonly weightBytes: number

  constructor(
    thread: NativeThread,
    kind: OperatorKind,
    sizes: readonly number[],
    call: Bound,
    floats: number,
    type: WeightType,
  ) {
    this.#type = type
    this.#thread = thread
    this.#kind = kind
    this.#sizes = sizes
    this.#call = call
    this.weightBytes = 4 * floats
  }

  run(x: Float32Array, rows: number, into?: Float32Array): Float32Array {
    const { header, arena } = this.#thread
    const { inputLength, outputLength } = operatorTraits[this.#kind]
    const inputs = inputLength(this.#sizes, rows)
    const outputs = outputLength(this.#sizes, rows)
    header[headerField.B] = rows
    if (inputs + outputs <= arenaLength) {
      header[headerField.op] = operatorOp.runArena
      setValues(arena, x)
      this.#call()
      if (!into) return copyOfRange(arena, inputs, outputs)
      copyFloats(into, 0, arena, inputs, outputs)
      return into
    }
    const y = into ?? uninitialized(outputs)
    header[headerField.op] = operatorOp.run
    this.#call(x, y)
    return y
  }

  weights(): Float32Array[] {
    // The arrays are there before the header is written: the stack may end in making them, and the next call must not find this one's operation.
    return readOperator(this.#kind, this.#sizes, this.#type, (arrays) => {
      this.#thread.header[headerField.op] = operatorOp.weights
      this.#call(arrays)
    })
  }

  dispose(): void {
    this.#thread.header[headerField.op] = operatorOp.dispose
    this.#call()
  }
}
