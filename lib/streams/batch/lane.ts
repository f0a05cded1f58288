/** One stream's place in a batcher: what it has asked for, in order, and whether a step of it may go. Knows no batches. */
import { fail } from '../../errors.ts'
import type { LaneList } from './lane-list.ts'
import type { BatchTypes } from './memory.ts'
import { type Asked, Step } from './step.ts'
import type { ListedLane, Weights } from './weights.ts'

/**
 *                 ┌────────── drop: none left ─────────┐
 *                 ▼                                    │
 *   gone ◀─────  idle ── ask ──▶ ready ── take ──▶ running
 *     closed      ▲                ▲ └─ drop: others left    │
 *                 └── release ─────┴───────── release ───────┘
 *
 *   idle      nothing is asked for; a reset is written at once     ready     in the list; its first is a step that waits
 *   running   a step of it is in a batch                           gone      closed and idle: the slot is given back, this once
 */
type State = 'idle' | 'ready' | 'running' | 'gone'

/** A reset, or a move to other weights, that waits for the steps that were asked for before it. */
interface Change extends Asked {
  readonly make: () => void
}

export class Lane<K extends BatchTypes> implements ListedLane<K> {
  /** Since when it is ready, or idle; for the list of those, with its links. */
  since = 0
  previous: ListedLane<K> | undefined
  next: ListedLane<K> | undefined
  /** The stream that it is the place of. */
  stream: unknown
  slot: number
  /** Those that its state is on, and those that what is asked for now will run on. */
  weights: Weights<K>
  target: Weights<K>
  readonly #idle: LaneList<ListedLane<K>> | undefined
  #state: State = 'idle'
  isClosed = false
  #first: Asked | undefined
  #last: Asked | undefined

  /** @param idle where lanes are while they are idle, if anybody wants to know */
  constructor(weights: Weights<K>, slot: number, idle: LaneList<ListedLane<K>> | undefined, now: number) {
    this.weights = weights
    this.target = weights
    this.slot = slot
    this.#idle = idle
    weights.retain()
    idle?.add(this, now)
  }

  get isIdle(): boolean {
    return this.#state === 'idle'
  }

  checkOpen(): void {
    if (this.isClosed) fail('ERR_RNN_DISPOSED', 'the stream was closed and cannot be used any more')
  }

  /** Puts a step that waits behind what was asked for before. */
  ask(step: Step<K>, now: number): void {
    this.#append(step)
    if (this.#state === 'idle') this.#advance(now)
  }

  /** Replaces the state after what was asked for before. */
  reset(to: K['state']): void {
    const state = this.isIdle ? to : this.target.memory.copyOfState(to)
    this.#change(() => this.weights.memory.writeState(this.slot, state))
  }

  /** Goes over to other weights after what was asked for before; the state then lies in a slot of theirs. */
  move(to: Weights<K>, slot: number): void {
    this.target = to.retain()
    this.#change(() => {
      const old = this.weights
      old.memory.copyState(this.slot, to.memory, slot)
      old.memory.giveState(this.slot)
      this.slot = slot
      this.weights = to
      old.release()
    })
  }

  #change(make: () => void): void {
    if (this.#state === 'idle') make()
    else this.#append({ make, next: undefined } as Change)
  }

  /** The step whose turn it is, for a batch. Only where the lane is ready. */
  take(): Step<K> {
    const step = this.#first as Step<K>
    this.weights.ready.remove(this)
    this.#state = 'running'
    step.begin()
    if (!step.goesOn) this.#removeFirst()
    return step
  }

  /** The batch of its step has ended. */
  release(now: number): void {
    this.#advance(now)
  }

  /** A step that waited was taken back. */
  drop(now: number): void {
    if (this.#state === 'ready') this.#advance(now)
  }

  close(): void {
    this.isClosed = true
    if (this.#state === 'idle') this.#advance(0)
  }

  /** Ready where a step waits, after the resets and moves before it; else idle, or gone. */
  #advance(now: number): void {
    const from = this.#list()
    for (let first = this.#first; first; first = this.#first) {
      if (first instanceof Step) {
        if (first.state === 'waiting') break
      } else (first as Change).make()
      this.#removeFirst()
    }
    this.#state = this.#first ? 'ready' : this.isClosed ? 'gone' : 'idle'
    const to = this.#list()
    if (from !== to) {
      from?.remove(this)
      to?.add(this, now)
    }
    if (this.#state !== 'gone') return
    this.weights.memory.giveState(this.slot)
    this.weights.release()
  }

  /** The list that it is in. */
  #list(): LaneList<ListedLane<K>> | undefined {
    return this.#state === 'ready' ? this.weights.ready : this.#state === 'idle' ? this.#idle : undefined
  }

  #append(asked: Asked): void {
    if (this.#last) this.#last.next = asked
    else this.#first = asked
    this.#last = asked
  }

  #removeFirst(): void {
    const first = this.#first!
    this.#first = first.next
    if (!this.#first) this.#last = undefined
    first.next = undefined
  }
}
