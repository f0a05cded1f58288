/** This thread's side of the addon: the header and the arena that both sides see, and the listeners of pending calls. */

import { defineProperty, floatsOver, intsOver, newFloats, newInts } from '../../intrinsics/captured.ts'
import { processors, variable } from '../../platform/process.ts'
import type { ForwardResult } from '../interface.ts'
import { arenaLength, callOp, headerField, headerLength } from '../protocol.ts'
import type { Addon, Bound } from './addon.ts'

/** Called on this thread when the call in a slot has ended; takes its result, and frees the slot. */
export type CallListener = (slot: number, outcome: number) => void

/** What all evaluations of this module in one thread have in common: the addon is set up once for them all. */
interface Shared {
  readonly header: Int32Array
  readonly arena: Float32Array
  readonly calls: Bound
  readonly listeners: (CallListener | undefined)[]
}

/** `always`: threads share what they can, however little there is to gain; for tests. */
const sharing = 'NATIVE_RNN_SHARING'

/** Where the addon carries it: test runners and reloading servers evaluate modules again, and keep the addon. */
const key = Symbol.for('native-rnn.thread')

function setUp(addon: Addon): Shared {
  const header = newInts(headerLength)
  const arena = newFloats(arenaLength)
  const listeners: (CallListener | undefined)[] = []
  const ended = (slot: number, how: number) => {
    const listener = listeners[slot]
    listeners[slot] = undefined
    if (listener) {
      listener(slot, how)
      return
    }
    header[headerField.op] = callOp.drop
    header[headerField.slot] = slot
    calls()
  }
  const always = variable(sharing) === 'always'
  const calls = addon.setUp(header, arena, ended, processors(), always)
  const shared: Shared = { header, arena, calls, listeners }
  defineProperty(addon, key, { __proto__: null, value: shared } as PropertyDescriptor)
  return shared
}

/** One per thread, addon and evaluation of this module; the arrays are of this evaluation's own realm, over the same memory. */
export class NativeThread {
  readonly header: Int32Array
  readonly arena: Float32Array
  /** The arena's integers: the lengths of a call lie there. */
  readonly arenaInts: Int32Array
  readonly addon: Addon
  /** That of another addon, made before: no table that a script could reach has them. */
  readonly older: NativeThread | undefined
  readonly #calls: Bound
  readonly #listeners: (CallListener | undefined)[]

  constructor(addon: Addon & { [key]?: Shared }, older: NativeThread | undefined) {
    const { header, arena, calls, listeners } = addon[key] ?? setUp(addon)
    this.addon = addon
    this.older = older
    this.header = intsOver(header)
    this.arena = floatsOver(arena)
    this.arenaInts = intsOver(arena)
    this.#calls = calls
    this.#listeners = listeners
  }

  /** One step of the live stream in that slot. */
  step(slot: number): void {
    this.header[headerField.slot] = slot
    this.#calls()
  }

  /** Notes what is called when the call that was just started has ended; its slot is in the header. */
  expect(listener: CallListener): number {
    const slot = this.header[headerField.slot]
    this.#listeners[slot] = listener
    return slot
  }

  /** Cancels a call: its listener is never called. */
  cancel(slot: number): void {
    this.#listeners[slot] = undefined
    this.act(callOp.cancel, slot)
  }

  /** What is to be done with a call: its result is copied to the arena or to the arrays given, or, when it has ended, it is freed. */
  act(op: number, slot: number, into?: ForwardResult): void {
    this.header[headerField.op] = op
    this.header[headerField.slot] = slot
    this.#calls(into?.output, into?.hn, into?.cn)
  }
}

let newest: NativeThread | undefined

/** The thread's side of an addon, made when a layer first needs it. */
export function threadOf(addon: Addon): NativeThread {
  for (let thread = newest; thread; thread = thread.older) if (thread.addon === addon) return thread
  newest = new NativeThread(addon, newest)
  return newest
}
