/** A linear layer on the native backend. */
import type { LinearCore } from '../interface.ts'
import { headerField, linearOp } from '../protocol.ts'
import type { Bound } from './addon.ts'
import type { NativeThread } from './environment.ts'
import { uninitialized } from './uninitialized.ts'

export class NativeLinear implements LinearCore {
  readonly #thread: NativeThread
  readonly #inFeatures: number
  readonly #outFeatures: number
  readonly #call: Bound

  constructor(thread: NativeThread, inFeatures: number, outFeatures: number, call: Bound) {
    this.#thread = thread
    this.#inFeatures = inFeatures
    this.#outFeatures = outFeatures
    this.#call = call
  }

  forward(x: Float32Array, rows: number): Float32Array {
    const { header, arena } = this.#thread
    const count = rows * this.#outFeatures
    const inputs = rows * this.#inFeatures
    header[headerField.B] = rows
    if (this.#thread.fits(inputs + count)) {
      header[headerField.op] = linearOp.forwardArena
      arena.set(x)
      this.#call()
      return arena.slice(inputs, inputs + count)
    }
    const y = uninitialized(count)
    header[headerField.op] = linearOp.forward
    this.#call(x, y)
    return y
  }

  dispose(): void {
    this.#thread.header[headerField.op] = linearOp.dispose
    this.#call()
  }
}
