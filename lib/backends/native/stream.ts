import { zeros } from '../../intrinsics/captured.ts'
import { trueLength } from '../../intrinsics/typed-arrays.ts'
import type { StreamCore } from '../interface.ts'
import { checkSteps } from '../packing.ts'
import { headerField, streamOp } from '../protocol.ts'
import type { Bound } from './addon.ts'
import type { NativeThread } from './environment.ts'
import { uninitialized } from './uninitialized.ts'

export class NativeStream implements StreamCore {
  readonly input: Float32Array
  readonly output: Float32Array
  readonly step: () => void
  readonly #thread: NativeThread
  readonly #slot: number
  readonly #call: Bound
  readonly #h: number
  readonly #c: number

  /** @param call as it was just made: the stream's slot is in the header */
  constructor(thread: NativeThread, input: Float32Array, output: Float32Array, call: Bound, h: number, c: number) {
    this.input = input
    this.output = output
    this.#thread = thread
    this.#slot = thread.header[headerField.slot]
    // Through `this`, so that who keeps the step alone keeps what it steps.
    this.step = () => this.#thread.step(this.#slot)
    this.#call = call
    this.#h = h
    this.#c = c
  }

  run(x: Float32Array, T: number): Float32Array {
    checkSteps(T)
    const y = uninitialized(T * trueLength(this.output))
    this.#act(streamOp.run, T, x, y)
    return y
  }

  readState(): { h: Float32Array; c?: Float32Array } {
    const h = zeros(this.#h)
    const c = this.#c ? zeros(this.#c) : undefined
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
    const { header } = this.#thread
    header[headerField.op] = op
    header[headerField.T] = T
    this.#call(a, b)
  }
}
