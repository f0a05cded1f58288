/** The steps that run together: which row each has, and what becomes of it when they have ended. Knows no queue, and runs nobody's code but `tell`. */
import type { Latencies } from './latencies.ts'
import type { BatchTypes } from './memory.ts'
import type { Step } from './step.ts'
import type { Weights } from './weights.ts'

export class Batch<K extends BatchTypes> {
  readonly weights: Weights<K>
  /** When its steps were taken. */
  readonly since: number
  count = 0
  /** How many of them do not count as queued any more. */
  begun = 0
  #first: Step<K> | undefined
  #last: Step<K> | undefined

  /** Takes the next step of each ready lane, up to `most`; how long they could have gone is noted. */
  constructor(weights: Weights<K>, most: number, now: number, waits: Latencies) {
    this.weights = weights
    this.since = now
    const { ready } = weights
    // Steps that one turn has asked for have waited alike.
    let alike = 0
    let since = now
    while (this.count < most && ready.first) {
      if (ready.first.since !== since) {
        if (alike > 0) waits.note(now - since, alike)
        alike = 0
        since = ready.first.since
      }
      alike++
      const step = ready.first.take()
      this.#append(step)
      this.count++
      if (!step.goesOn) this.begun++
    }
    if (alike > 0) waits.note(now - since, alike)
  }

  /** The memory's rows are this batch's for as long as this lasts: what is needed of them, and of the frames, is copied. */
  launch(ended: (ticket: number, error?: Error) => void): void {
    const { memory } = this.weights
    try {
      memory.prepareOutputs(this.count)
      const { rows } = memory
      let at = 0
      for (let step = this.#first; step; step = step.beside) {
        rows[at++] = step.slot
        rows[at++] = step.frame
      }
      memory.launch(this.count, ended)
    } finally {
      for (let step = this.#first; step; step = step.beside) if (!step.goesOn) memory.giveFrame(step.frame)
    }
  }

  /** Moves the states of all but those that were taken back meanwhile, and keeps their outputs, where there is no error. */
  collect(ticket: number, error: unknown): void {
    const { memory } = this.weights
    const { rows } = memory
    let row = 0
    for (let step = this.#first; step; step = step.beside) {
      rows[2 * row++] = step.state === 'running' ? step.slot : -1
    }
    memory.collect(ticket)
    if (error !== undefined) return
    row = 0
    for (let step = this.#first; step; step = step.beside) {
      if (step.state === 'running') {
        step.failure = memory.failure(row)
        if (step.failure === undefined) step.keep(row)
      }
      row++
    }
  }

  /**
   * From here on each step has ended, or waits for the next batch, and its lane goes on. What is left is this batch's to tell of. Gives how many
   * places in the queue are free for that.
   */
  release(now: number, error: unknown): number {
    let places = 0
    let step = this.#first
    this.#first = undefined
    this.#last = undefined
    while (step) {
      const { beside } = step
      step.beside = undefined
      places += step.end(error)
      step.lane.release(now)
      if (step.state === 'ended') this.#append(step)
      step = beside
    }
    return places
  }

  /** After `release`. */
  tell(error: unknown): void {
    for (let step = this.#first; step; step = step.beside) step.tell(error)
  }

  #append(step: Step<K>): void {
    if (this.#last) this.#last.beside = step
    else this.#first = step
    this.#last = step
  }
}
