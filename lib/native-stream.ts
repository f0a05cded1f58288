/** A live stream on the native backend: its step is the addon's own function. */
import type { StreamCore } from './backend.ts'
import type { Bound } from './native.ts'
import { place } from './native-thread.ts'

// As in native/addon/stream.h.
const streamOp = { step: 0, run: 1, readState: 2, writeState: 3, dispose: 4 } as const

export class NativeStream implements StreamCore {
  readonly input: Float32Array
  readonly output: Float32Array
  readonly step: () => void
  readonly #header: Int32Array
  readonly #call: Bound
  readonly #h: number
  readonly #c: number

  constructor(header: Int32Array, input: Float32Array, output: Float32Array, call: Bound, h: number, c: number) {
    this.#header = header
    this.input = input
    this.output = output
    this.step = call as () => void
    this.#call = call
    this.#h = h
    this.#c = c
  }

  run(x: Float32Array, T: number): Float32Array {
    if (T > 0x7fffffff) throw new RangeError(`native-rnn: ${T} time steps are more than one call can take`)
    const y = new Float32Array(T * this.output.length)
    this.#act(streamOp.run, T, x, y)
    return y
  }

  readState(): { h: Float32Array; c?: Float32Array } {
    const h = new Float32Array(this.#h)
    const c = this.#c ? new Float32Array(this.#c) : undefined
    this.#act(streamOp.readState, 0, h, c)
    return { h, c }
  }

  writeState(h?: Float32Array, c?: Float32Array): void {
    this.#act(streamOp.writeState, 0, h, c)
  }

  dispose(): void {
    this.#act(streamOp.dispose, 0)
  }

  #act(op: number, T: number, a?: Float32Array, b?: Float32Array): void {
    this.#header[place.op] = op
    this.#header[place.T] = T
    this.#call(a, b)
  }
}
