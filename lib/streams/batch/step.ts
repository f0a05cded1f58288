/** One step that a stream was asked for, from the call to its answer; it alone knows who is told. Knows no queue. */
import { type Listening, onAbort } from '../../calls/abort-signal.ts'
import type { BatchMemory, BatchTypes } from './memory.ts'

/**
 *   new ──── wait ───▶ waiting ── begin ──▶ running ── end ──▶ ended ── tell ──▶ settled
 *    └─────────────────── abandon ────────────────┘ ───────────────────────────────▲
 *
 *   new       its promise is made; nothing else is      waiting   in its lane, its frame in a slot; it counts as queued
 *   running   in a batch                                ended     its batch has ended: what is left is to tell of it
 *   settled   the promise is resolved or rejected; a batch that it still is in moves no state for it
 */
export type StepState = 'new' | 'waiting' | 'running' | 'ended' | 'settled'

/** Something that a lane was asked for. */
export interface Asked {
  /** The next one of its lane. */
  next: Asked | undefined
}

/** What batches and aborts have of a step's lane. */
export interface Place {
  readonly slot: number
  release(now: number): void
  drop(now: number): void
}

/** Who is told of a step: functions that ask for no `this`. */
export interface Told<K extends BatchTypes> {
  readonly resolve: (output: K['output']) => void
  readonly reject: (reason: unknown) => void
}

export class Step<K extends BatchTypes> implements Asked {
  readonly lane: Place
  /** Where its frame is, and its state while it runs. */
  memory: BatchMemory<K>
  /** Where the result goes: made when the step is asked for, as at the end there is nobody to throw at. */
  readonly output: K['output']
  /** The frame's slot, from `wait` on. */
  frame = -1
  next: Asked | undefined
  /** The next one of its batch. */
  beside: Step<K> | undefined
  /** Why it alone of its batch has failed. */
  failure: unknown
  #state: StepState = 'new'
  readonly #resolve: Told<K>['resolve']
  readonly #reject: Told<K>['reject']
  #listening: Listening | undefined

  constructor(lane: Place, memory: BatchMemory<K>, output: K['output'], told: Told<K>) {
    this.lane = lane
    this.memory = memory
    this.output = output
    this.#resolve = told.resolve
    this.#reject = told.reject
  }

  get state(): StepState {
    return this.#state
  }

  /** The slot of the state that it moves. */
  get slot(): number {
    return this.lane.slot
  }

  /** Before it waits: has it run elsewhere. */
  bind(memory: BatchMemory<K>): void {
    this.memory = memory
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
    this.go('new', 'waiting')
    this.frame = frame
  }

  /** Whether more frames follow the one that is next or runs: it then keeps its slot, and goes on counting as queued. */
  get goesOn(): boolean {
    return false
  }

  begin(): void {
    this.go('waiting', 'running')
  }

  /** Keeps what a row of its batch has given. */
  keep(row: number): void {
    this.memory.copyOutput(row, this.output, 0)
  }

  /** Its batch has ended, with an error where that has failed; gives how many places in the queue are free for that, beyond those that were when it began. */
  end(_error: unknown): number {
    if (this.#state !== 'settled') this.go('running', 'ended')
    return 0
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
    const reject = this.#reject
    reject(reason)
  }

  /** Where the step has ended: settles its promise. Runs code of the signal, and of whoever waits. */
  tell(error: unknown): void {
    if (this.#state !== 'ended') return
    this.#state = 'settled'
    this.stopListening()
    const reason = error ?? this.failure
    if (reason !== undefined) this.reject(reason)
    else {
      const resolve = this.#resolve
      resolve(this.output)
    }
  }

  protected go(from: StepState, to: StepState): void {
    if (this.#state !== from) throw new Error(`native-rnn: a step that is ${this.#state} cannot be ${to}`)
    this.#state = to
  }
}
