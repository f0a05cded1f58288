/** A linear layer on the native backend. */
import type { LinearCore } from '../interface.ts'
import { type NativeThread, place } from './environment.ts'
import type { Bound } from './loader.ts'
import { unwritten } from './uninitialized.ts'

// As in native/addon/linear.h.
const linearOp = { forwardArena: 0, forward: 1, dispose: 2 } as const

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
    header[place.B] = rows
    if (this.#thread.fits(inputs + count)) {
      header[place.op] = linearOp.forwardArena
      arena.set(x)
      this.#call()
      return arena.slice(inputs, inputs + count)
    }
    const y = unwritten(count)
    header[place.op] = linearOp.forward
    this.#call(x, y)
    return y
  }

  dispose(): void {
    this.#thread.header[place.op] = linearOp.dispose
    this.#call()
  }
}
