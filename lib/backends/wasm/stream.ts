/** The live state of B sequences in the module's memory. */

import { zeros } from '../../intrinsics/captured.ts'
import { ensureStack } from '../../intrinsics/stack.ts'
import { checkFrames, newFrames } from '../../runtime.ts'
import type { StreamCore } from '../interface.ts'
import { checkSteps } from '../packing.ts'
import type { RowSizes } from './call.ts'
import type { WasmInstance } from './instance.ts'
import { Owned, type Use, usedBy } from './owned.ts'

export function newStream(network: Owned, rows: RowSizes, batchSize: number): StreamCore {
  const { instance } = network
  const { exports } = instance
  const input = newFrames(batchSize * rows.x)
  const output = newFrames(batchSize * rows.y)
  instance.ensureRoom()
  const make = () => exports.streamNew(network.address, batchSize)
  return new WasmStream(Owned.of(instance, make, exports.streamFree, network), input, output, rows, batchSize)
}

class WasmStream implements StreamCore {
  readonly input: Float32Array
  readonly output: Float32Array
  readonly step: () => void
  readonly #instance: WasmInstance
  readonly #use: Use
  readonly #x: number
  readonly #y: number
  readonly #h: number
  readonly #c: number
  readonly #address: number
  readonly #inputAt: number
  readonly #outputAt: number
  /** The stack ended within a step: what has moved of the state is to be moved back. */
  #isTorn = false
  #isDisposed = false

  constructor(owned: Owned, input: Float32Array, output: Float32Array, rows: RowSizes, B: number) {
    const { instance, address } = owned
    this.input = input
    this.output = output
    this.#instance = instance
    this.#use = usedBy(this, owned)
    this.#x = B * rows.x
    this.#y = B * rows.y
    this.#h = B * rows.h
    this.#c = B * rows.c
    this.#address = address
    this.#inputAt = instance.exports.streamInput(address)
    this.#outputAt = instance.exports.streamOutput(address)
    // Through `this`, so that who keeps the step alone keeps what it steps.
    this.step = () => this.#step()
  }

  #step(): void {
    const instance = this.#instance
    const address = this.#isDisposed ? this.#use.owned.address : this.#address
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
    const instance = this.#instance
    const { address } = this.#use.owned
    const y = zeros(T * this.#y)
    this.#withMemory(T * (this.#x + this.#y), (memory) => {
      const to = memory + T * this.#x * 4
      instance.put(memory, x, T * this.#x)
      this.#act(() => instance.exports.streamRun(address, memory, T, to))
      instance.getInto(to, T * this.#y, y)
    })
    return y
  }

  readState(): { h: Float32Array; c?: Float32Array } {
    const instance = this.#instance
    const { address } = this.#use.owned
    return this.#withMemory(this.#h + this.#c, (memory) => {
      const c = this.#c > 0 ? memory + this.#h * 4 : 0
      instance.guarded(() => instance.exports.streamRead(address, memory, c))
      return { h: instance.get(memory, this.#h), c: c === 0 ? undefined : instance.get(c, this.#c) }
    })
  }

  writeState(h?: Float32Array, c?: Float32Array): void {
    const instance = this.#instance
    const { address } = this.#use.owned
    this.#withMemory(this.#h + this.#c, (memory) => {
      const cAt = memory + this.#h * 4
      if (h) instance.put(memory, h, this.#h)
      if (c) instance.put(cAt, c, this.#c)
      this.#act(() => instance.exports.streamWrite(address, h ? memory : 0, c ? cAt : 0))
    })
  }

  dispose(): void {
    this.#isDisposed = true
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
    const { address } = this.#use.owned
    this.#instance.guarded(() => this.#instance.exports.streamGoBack(address))
    this.#isTorn = false
  }

  #withMemory<R>(floats: number, use: (memory: number) => R): R {
    const instance = this.#instance
    instance.ensureRoom()
    if (this.#isTorn) this.#goBack()
    const memory = instance.allocate(floats)
    try {
      return use(memory)
    } finally {
      instance.release(memory)
    }
  }
}
