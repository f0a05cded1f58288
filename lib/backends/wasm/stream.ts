/** The live state of B sequences in the module's memory. */

import { zeros } from '../../intrinsics/captured.ts'
import { ensureStack } from '../../intrinsics/stack.ts'
import { checkFrames, newFrames } from '../../runtime.ts'
import type { StreamCore } from '../interface.ts'
import { checkSteps, type RowSizes } from '../packing.ts'
import type { WasmInstance } from './instance.ts'
import { Owned, type Use, usedBy } from './owned.ts'

export class WasmStream implements StreamCore {
  readonly input: Float32Array
  readonly output: Float32Array
  readonly step: () => void
  readonly #instance: WasmInstance
  readonly #use: Use
  readonly #x: number
  readonly #y: number
  readonly #h: number
  readonly #c: number
  readonly #inputAt: number
  readonly #outputAt: number
  /** The stack ended within a step: what has moved of the state is to be moved back. */
  #isTorn = false

  constructor(network: Owned, rows: RowSizes, B: number) {
    const { instance } = network
    const { exports } = instance
    this.#instance = instance
    this.#x = B * rows.x
    this.#y = B * rows.y
    this.#h = B * rows.h
    this.#c = B * rows.c
    this.input = newFrames(this.#x)
    this.output = newFrames(this.#y)
    instance.ensureRoom()
    const owned = new Owned(instance, () => exports.streamNew(network.address, B), exports.streamFree, network)
    this.#use = usedBy(this, owned)
    this.#inputAt = exports.streamInput(owned.address)
    this.#outputAt = exports.streamOutput(owned.address)
    // Through `this`, so that who keeps the step alone keeps what it steps.
    this.step = () => this.#step()
  }

  #step(): void {
    const instance = this.#instance
    const { address } = this.#use.owned
    ensureStack()
    if (this.#isTorn) this.#goBack()
    checkFrames(this.input, this.#x)
    checkFrames(this.output, this.#y)
    instance.mend()
    instance.put(this.#inputAt, this.input, this.#x)
    try {
      // No memory is asked for, so that views stay as they are.
      instance.exports.streamStep(address)
    } catch (error) {
      this.#isTorn = true
      throw instance.failed(error)
    }
    instance.getInto(this.#outputAt, this.#y, this.output)
  }

  run(x: Float32Array, T: number): Float32Array {
    checkSteps(T)
    const { instance, address } = this.#use.owned
    const y = zeros(T * this.#y)
    this.#withArrays([T * this.#x, T * this.#y], (at) => {
      instance.put(at[0], x, T * this.#x)
      this.#act(() => instance.exports.streamRun(address, at[0], T, at[1]))
      instance.getInto(at[1], T * this.#y, y)
    })
    return y
  }

  readState(): { h: Float32Array; c?: Float32Array } {
    const { instance, address } = this.#use.owned
    return this.#withArrays([this.#h, this.#c], (at) => {
      instance.guarded(() => instance.exports.streamRead(address, at[0], at[1]))
      return { h: instance.get(at[0], this.#h), c: this.#c > 0 ? instance.get(at[1], this.#c) : undefined }
    })
  }

  writeState(h?: Float32Array, c?: Float32Array): void {
    const { instance, address } = this.#use.owned
    this.#withArrays([h ? this.#h : 0, c ? this.#c : 0], (at) => {
      if (h) instance.put(at[0], h, this.#h)
      if (c) instance.put(at[1], c, this.#c)
      this.#act(() => instance.exports.streamWrite(address, at[0], at[1]))
    })
  }

  dispose(): void {
    this.#use.end()
  }

  /** What changes the state: the whole of it, or nothing. */
  #act(call: () => void): void {
    try {
      this.#instance.guarded(call)
    } catch (error) {
      this.#isTorn = true
      throw error
    }
  }

  #goBack(): void {
    const { instance, address } = this.#use.owned
    instance.guarded(() => instance.exports.streamGoBack(address))
    this.#isTorn = false
  }

  #withArrays<R>(lengths: readonly number[], use: (addresses: readonly number[]) => R): R {
    this.#instance.ensureRoom()
    if (this.#isTorn) this.#goBack()
    return this.#instance.withArrays(lengths, use)
  }
}
