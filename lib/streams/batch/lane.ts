/** One stream's place in a batcher: what it has asked for, in order, and whether a step of it may go. Knows no batches. */
import { fail } from '../../errors.ts'
import type { BatchTypes, LaneMemory } from './memory.ts'
import { Reset, Step } from './step.ts'

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

export class Lane<K extends BatchTypes> {
  readonly slot: number
  /** Since when it is ready; for the list of those, with its links. */
  since = 0
  previous: Lane<K> | undefined
  next: Lane<K> | undefined
  readonly #memory: LaneMemory<K>
  readonly #ready: ReadyLanes<K>
  #state: State = 'idle'
  #closed = false
  #first: Step<K> | Reset<K> | undefined
  #last: Step<K> | Reset<K> | undefined

  constructor(slot: number, memory: LaneMemory<K>, ready: ReadyLanes<K>) {
    this.slot = slot
    this.#memory = memory
    this.#ready = ready
  }

  get isIdle(): boolean {
    return this.#state === 'idle'
  }

  get isClosed(): boolean {
    return this.#closed
  }

  checkOpen(): void {
    if (this.#closed) fail('ERR_RNN_DISPOSED', 'the stream was closed and cannot be used any more')
  }

  /** Puts a step that waits behind what was asked for before. */
  ask(step: Step<K>, now: number): void {
    this.#append(step)
    if (this.#state === 'idle') this.#advance(now)
  }

  /** Replaces the state after what was asked for before. */
  reset(to: K['state']): void {
    if (this.#state === 'idle') this.#memory.writeState(this.slot, to)
    else this.#append(new Reset(this.#memory.copyOfState(to)))
  }

  /** The step whose turn it is, for a batch. Only where the lane is ready. */
  take(): Step<K> {
    const step = this.#first
    if (this.#state !== 'ready' || !(step instanceof Step)) throw new Error('native-rnn: this lane is not ready')
    this.#ready.remove(this)
    this.#state = 'running'
    this.#removeFirst()
    step.begin()
    return step
  }

  /** The batch of its step has ended. */
  release(now: number): void {
    if (this.#state !== 'running') throw new Error('native-rnn: this lane does not run')
    this.#advance(now)
  }

  /** A step that waited was taken back. */
  drop(): void {
    if (this.#state === 'ready') this.#advance(this.since)
  }

  close(): void {
    this.#closed = true
    if (this.#state === 'idle') this.#advance(0)
  }

  /** Ready where a step waits, after the resets before it; else idle, or gone. */
  #advance(now: number): void {
    for (let first = this.#first; first; first = this.#first) {
      if (first instanceof Step) {
        if (first.state === 'waiting') break
      } else this.#memory.writeState(this.slot, first.to)
      this.#removeFirst()
    }
    const was = this.#state
    this.#state = this.#first ? 'ready' : this.#closed ? 'gone' : 'idle'
    if (this.#state === 'ready') {
      if (was !== 'ready') this.#ready.add(this, now)
      return
    }
    if (was === 'ready') this.#ready.remove(this)
    if (this.#state === 'gone') this.#memory.giveState(this.slot)
  }

  #append(asked: Step<K> | Reset<K>): void {
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

/** The lanes that have a step for a batch, in the order in which they became ready. */
export class ReadyLanes<K extends BatchTypes> {
  count = 0
  first: Lane<K> | undefined
  #last: Lane<K> | undefined

  add(lane: Lane<K>, now: number): void {
    lane.since = now
    lane.previous = this.#last
    if (this.#last) this.#last.next = lane
    else this.first = lane
    this.#last = lane
    this.count++
  }

  remove(lane: Lane<K>): void {
    if (lane.previous) lane.previous.next = lane.next
    else this.first = lane.next
    if (lane.next) lane.next.previous = lane.previous
    else this.#last = lane.previous
    lane.previous = undefined
    lane.next = undefined
    this.count--
  }
}
