/** This thread's side of the addon: the header and the arena that both sides see, and the book of asynchronous calls. */
import { availableParallelism } from 'node:os'
import { arenaLength, callOp, headerField, headerLength } from '../protocol.ts'
import type { Addon, Bound } from './addon.ts'

/** What a call without memory for its work ends with. */
export function outOfMemory(): Error {
  return new RangeError('native-rnn: out of memory')
}

/** Called on this thread when the call in a slot has ended; takes its result, which frees the slot. */
export type CallListener = (slot: number, outcome: number) => void

/** What all evaluations of this module in one thread have in common: the addon is set up once for them all. */
interface Shared {
  readonly header: Int32Array
  readonly arena: Float32Array
  readonly calls: Bound
  readonly waiting: (CallListener | undefined)[]
}

/** `always`: threads share what they can, however little there is to gain; for tests. */
const variable = 'NATIVE_RNN_SHARING'

/** Where the addon carries it: test runners and reloading servers evaluate modules again, and keep the addon. */
const key = Symbol.for('native-rnn.thread')

function sharedOf(addon: Addon & { [key]?: Shared }): Shared {
  return addon[key] ?? setUp(addon)
}

function setUp(addon: Addon): Shared {
  const header = new Int32Array(new ArrayBuffer(headerLength * 4))
  const arena = new Float32Array(new ArrayBuffer(arenaLength * 4))
  const waiting: (CallListener | undefined)[] = []
  const settle = (slot: number, how: number) => {
    const next = waiting[slot]
    waiting[slot] = undefined
    if (next) {
      next(slot, how)
      return
    }
    header[headerField.op] = callOp.drop
    header[headerField.slot] = slot
    calls()
  }
  const always = process.env[variable] === 'always'
  const calls = addon.setUp(header, arena, settle, availableParallelism(), always)
  const shared: Shared = { header, arena, calls, waiting }
  Object.defineProperty(addon, key, { value: shared })
  return shared
}

/** One per thread, addon and evaluation of this module; the arrays are of this evaluation's own realm, over the same memory. */
export class NativeThread {
  readonly header: Int32Array
  readonly arena: Float32Array
  /** The arena's integers: the lengths of a call lie there. */
  readonly arenaInts: Int32Array
  readonly addon: Addon
  readonly #calls: Bound
  readonly #waiting: (CallListener | undefined)[]

  constructor(addon: Addon) {
    const { header, arena, calls, waiting } = sharedOf(addon)
    this.addon = addon
    this.header = new Int32Array(header.buffer)
    this.arena = new Float32Array(arena.buffer)
    this.arenaInts = new Int32Array(arena.buffer)
    this.#calls = calls
    this.#waiting = waiting
  }

  /** One step of the live stream in that slot. */
  step(slot: number): void {
    this.header[headerField.slot] = slot
    this.#calls()
  }

  /** Whether so many floats go through the arena. */
  fits(floats: number): boolean {
    return floats <= arenaLength
  }

  /** Notes who is told when the call that was just started has ended; its slot is in the header. */
  expect(settle: CallListener): number {
    const slot = this.header[headerField.slot]
    this.#waiting[slot] = settle
    return slot
  }

  /** Calls a call off: whoever expects it is not told any more. */
  cancel(slot: number): void {
    this.#waiting[slot] = undefined
    this.#act(callOp.cancel, slot)
  }

  /** Frees a call without a look at its result. */
  drop(slot: number): void {
    this.#act(callOp.drop, slot)
  }

  /** Copies the result of a call that is done to the arena, or to the arrays given, and frees it. */
  take(slot: number): void {
    this.#act(callOp.takeArena, slot)
  }

  takeInto(slot: number, y: Float32Array | undefined, hn: Float32Array, cn: Float32Array | undefined): void {
    this.header[headerField.op] = callOp.take
    this.header[headerField.slot] = slot
    this.#calls(y, hn, cn)
  }

  #act(op: number, slot: number): void {
    this.header[headerField.op] = op
    this.header[headerField.slot] = slot
    this.#calls()
  }
}

const threads = new WeakMap<Addon, NativeThread>()

/** The thread's side of an addon, made when a layer first needs it. */
export function threadOf(addon: Addon): NativeThread {
  let thread = threads.get(addon)
  if (!thread) {
    thread = new NativeThread(addon)
    threads.set(addon, thread)
  }
  return thread
}
