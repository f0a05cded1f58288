/** One step that a stream was asked for, from the call to its answer; it alone knows who is told. Knows no queue. */
import { type Listening, onAbort } from '../../calls/abort-signal.ts'
import type { BatchTypes } from './memory.ts'

/**
 *   new ──── wait ───▶ waiting ── begin ──▶ running ── end ──▶ ended ── tell ──▶ settled
 *    └─────────────────── abandon ────────────────┘ ───────────────────────────────▲
 *
 *   new       its promise is made; nothing else is      waiting   in its lane, its frame in a slot; it counts as queued
 *   running   in a batch                                ended     its batch has ended: what is left is to tell of it
 *   settled   the promise is resolved or rejected; a batch that it still is in moves no state for it
 */
export type StepState = 'new' | 'waiting' | 'running' | 'ended' | 'settled'

/** What batches and aborts have of a step's lane. */
interface Place {
  readonly slot: number
  release(now: number): void
  drop(): void
}

export class Step<K extends BatchTypes> {
  readonly lane: Place
  /** Where the result goes: made when the step is asked for, as at the end there is nobody to throw at. */
  readonly output: K['output']
  /** The frame's slot, from `wait` on. */
  frame = -1
  /** The next one of its lane, then of its batch. */
  next: Step<K> | Reset<K> | undefined
  /** Why it alone of its batch has failed. */
  failure: unknown
  #state: StepState = 'new'
  readonly #resolve: (output: K['output']) => void
  readonly #reject: (reason: unknown) => void
  #listening: Listening | undefined

  constructor(
    lane: Place,
    output: K['output'],
    resolve: (output: K['output']) => void,
    reject: (reason: unknown) => void,
  ) {
    this.lane = lane
    this.output = output
    this.#resolve = resolve
    this.#reject = reject
  }

  get state(): StepState {
    return this.#state
  }

  /** `abort` is called when the signal is aborted before the step has ended. Runs the signal's own code. */
  listen(signal: AbortSignal, abort: (step: Step<K>, signal: AbortSignal) => void): void {
    this.#listening = onAbort(signal, () => abort(this, signal))
  }

  /** Runs the signal's own code. */
  stopListening(): void {
    const listening = this.#listening
    this.#listening = undefined
    listening?.stop()
  }

  wait(frame: number): void {
    this.#go('new', 'waiting')
    this.frame = frame
  }

  begin(): void {
    this.#go('waiting', 'running')
  }

  /** Whether anybody wants to know. */
  end(): boolean {
    if (this.#state === 'settled') return false
    this.#go('running', 'ended')
    return true
  }

  /** Takes the step back, where its batch has not ended; gives the state it was in then. */
  abandon(): 'new' | 'waiting' | 'running' | undefined {
    const state = this.#state
    if (state === 'ended' || state === 'settled') return undefined
    this.#state = 'settled'
    return state
  }

  /** After `abandon`. */
  reject(reason: unknown): void {
    this.#reject(reason)
  }

  /** Where the step has ended: settles its promise. Runs code of the signal, and of whoever waits. */
  tell(failed: boolean, error: unknown): void {
    if (this.#state !== 'ended') return
    this.#state = 'settled'
    this.stopListening()
    if (failed) this.#reject(error)
    else if (this.failure !== undefined) this.#reject(this.failure)
    else this.#resolve(this.output)
  }

  #go(from: StepState, to: StepState): void {
    if (this.#state !== from) throw new Error(`native-rnn: a step that is ${this.#state} cannot be ${to}`)
    this.#state = to
  }
}

/** A reset that waits for the steps that were asked for before it. */
export class Reset<K extends BatchTypes> {
  readonly to: K['state']
  next: Step<K> | Reset<K> | undefined

  constructor(to: K['state']) {
    this.to = to
  }
}
