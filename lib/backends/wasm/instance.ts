/**
 * The module as one thread runs it: its memory, calls into it, and how they fail. Views of the memory never leave this backend, for they
 * are detached where it grows.
 */

import {
  bytesOf,
  copyFloats,
  copyOfRange,
  doublesOn,
  floatsOn,
  intsOn,
  newSharedFloats,
  setValues,
} from '../../intrinsics/captured.ts'
import { trueLength } from '../../intrinsics/typed-arrays.ts'
import { outOfMemory } from '../packing.ts'
import { arenaLength } from '../protocol.ts'
import { failure, type WasmExports } from './exports.ts'
import { type Module, webAssembly } from './webassembly.ts'

// A call of the module within deep JavaScript needs so many small calls' room, so that the stack does not end within its work.
const descent = 400

export class WasmInstance {
  readonly exports: WasmExports
  /** Addresses of the header and the arena. */
  readonly header: number
  readonly arena: number
  floats!: Float32Array
  ints!: Int32Array
  doubles!: Float64Array
  bytes!: Uint8Array
  #buffer: ArrayBuffer | undefined
  readonly #stackBase: number
  /** A call ended in the middle: the module's stack pointer stands where it stood then. */
  #isTorn = false

  constructor(module: Module) {
    const { instantiate, globalValue } = webAssembly!
    this.exports = instantiate(module) as unknown as WasmExports
    this.#stackBase = globalValue(this.exports.__stack_pointer)
    this.exports._initialize()
    this.header = this.exports.header()
    this.arena = this.exports.arena()
    this.look()
  }

  /** Looks at the memory anew where it has grown. */
  look(): void {
    const buffer = webAssembly!.bufferOf(this.exports.memory)
    if (buffer === this.#buffer) return
    this.#buffer = buffer
    this.floats = floatsOn(buffer)
    this.ints = intsOn(buffer)
    this.doubles = doublesOn(buffer)
    this.bytes = bytesOf(this.ints)
  }

  /** To be called before any call into the module that changes it: the stack ends here, if it must. */
  ensureRoom(): void {
    this.mend()
    this.exports.descend(descent)
  }

  /** To be called before any call into the module: what the last one left undone is put right. */
  mend(): void {
    if (this.#isTorn) this.#mend()
  }

  #mend(): void {
    webAssembly!.setGlobal(this.exports.__stack_pointer, this.#stackBase)
    this.exports.failure()
    this.look()
    this.#isTorn = false
  }

  /** A call that may trap, or run out of stack. The module can be used afterwards as ever. */
  guarded<T>(call: () => T): T {
    this.mend()
    try {
      const result = call()
      this.look()
      return result
    } catch (error) {
      throw this.failed(error)
    }
  }

  /** What to throw for what a call of the module threw. */
  failed(error: unknown): unknown {
    this.#isTorn = true
    const code = this.exports.failure()
    this.look()
    if (code === failure.outOfMemory || code === failure.tooLarge) return outOfMemory()
    if (code === failure.invalid) return new Error(`native-rnn: ${this.#text(this.exports.failureText())}`)
    return error
  }

  #text(address: number): string {
    this.look()
    let text = ''
    for (let at = address >>> 0; ; at++) {
      const byte = this.bytes[at]
      if (byte === 0) return text
      text += String.fromCharCode(byte)
    }
  }

  /**
   * What a call gives that gives 0 for want of memory, else mostly the address of what it makes there.
   *
   * @throws RangeError where there is no memory
   */
  made(call: () => number): number {
    const address = this.guarded(call)
    if (address === 0) throw outOfMemory()
    return address
  }

  /** Memory for so many floats. */
  allocate(floats: number): number {
    return this.made(() => this.exports.allocate(floats * 4))
  }

  /** The same for the time of a call that leaves the arena alone: the arena where they fit. */
  allocateOrArena(floats: number): number {
    return floats <= arenaLength ? this.arena : this.allocate(floats)
  }

  release(address: number): void {
    if (address !== 0 && address !== this.arena) this.guarded(() => this.exports.release(address))
  }

  /** Memory for arrays of so many floats while `use` runs; no address for those of none. */
  withArrays<R>(lengths: readonly number[], use: (addresses: readonly number[]) => R): R {
    let floats = 0
    for (let i = 0; i < lengths.length; i++) floats += lengths[i]
    const memory = this.allocate(floats)
    const addresses: number[] = []
    let at = memory
    for (let i = 0; i < lengths.length; i++) {
      addresses[i] = lengths[i] > 0 ? at : 0
      at += lengths[i] * 4
    }
    try {
      return use(addresses)
    } finally {
      this.release(memory)
    }
  }

  /** Copies an array in, which has so many values or is refused. */
  put(address: number, values: Float32Array, count: number): void {
    checkLength(values, count)
    if (count > 16) setValues(this.floats, values, address >>> 2)
    else for (let i = 0, at = address >>> 2; i < count; i++) this.floats[at + i] = values[i]
  }

  putInts(address: number, values: Int32Array, count: number): void {
    checkLength(values, count)
    setValues(this.ints, values, address >>> 2)
  }

  /** A copy of values. */
  get(address: number, count: number): Float32Array<ArrayBuffer> {
    return copyOfRange(this.floats, address >>> 2, count)
  }

  /** The same in shared memory. */
  getShared(address: number, count: number): Float32Array {
    const shared = newSharedFloats(count)
    this.getInto(address, count, shared)
    return shared
  }

  /** Copies values out, to the beginning of an array or to a place in it. */
  getInto(address: number, count: number, target: Float32Array, at = 0): void {
    copyFloats(target, at, this.floats, address >>> 2, count)
  }

  /** Writes numbers to the arena. */
  putNumbers(numbers: readonly number[]): number {
    setValues(this.doubles, numbers, this.arena >>> 3)
    return this.arena
  }

  /** Writes addresses to the arena. */
  putAddresses(addresses: readonly number[]): number {
    setValues(this.ints, addresses, this.arena >>> 2)
    return this.arena
  }
}

function checkLength(values: ArrayBufferView, count: number): void {
  if (trueLength(values) !== count) throw new RangeError('native-rnn: an array has the wrong length')
}
