/** Which weights have the next batch: whose steps have waited longest, of those that may go. Holds the timer of steps that wait for others. */
import { clearTimeout, startTimer, type Timer } from '../../platform/timers.ts'
import { clock } from './clock.ts'
import type { BatchTypes } from './memory.ts'
import type { Weights } from './weights.ts'

export class Choice<K extends BatchTypes> {
  readonly #maxBatch: number
  readonly #maxDelayMs: number
  readonly #wake: () => void
  #first: Weights<K> | undefined
  #timer: Timer | undefined

  /** @param wake called when a step has waited for others as long as it may */
  constructor({ maxBatch, maxDelayMs }: { maxBatch: number; maxDelayMs: number }, wake: () => void) {
    this.#maxBatch = maxBatch
    this.#maxDelayMs = maxDelayMs
    this.#wake = wake
  }

  add(weights: Weights<K>): void {
    this.#forgetUnused()
    weights.next = this.#first
    this.#first = weights
  }

  /**
   * Anything where none of these weights runs, full batches only beside others. `running`: batches, of all weights. Where whose turn it is may not
   * have so many beside it, it waits for their end, and all others for it: they could hold it up for ever.
   */
  next(running: number, atOnce: boolean): Weights<K> | undefined {
    this.#forgetUnused()
    let best: Weights<K> | undefined
    let soonest = Infinity
    for (let weights = this.#first; weights; weights = weights.next) {
      const { first, count } = weights.ready
      if (!first) continue
      if (count < this.#maxBatch) {
        if (weights.running > 0) continue
        const left = this.#maxDelayMs === 0 || atOnce ? 0 : this.#left(first.since)
        if (left < soonest) soonest = left
        if (left > 0) continue
      }
      if (!best || first.since < best.ready.first!.since) best = weights
    }
    if (!best && soonest < Infinity) this.#wait(soonest)
    if (!best) this.stopIfNoneIsReady()
    return best && running < best.maxRunning ? best : undefined
  }

  /** A clock that went back makes nobody wait longer. */
  #left(since: number): number {
    const left = since + this.#maxDelayMs - clock()
    return left > this.#maxDelayMs ? 0 : left
  }

  #wait(ms: number): void {
    this.#timer ??= startTimer(() => {
      this.#timer = undefined
      this.#wake()
    }, ms)
  }

  /** A timer that nobody waits for would hold the process until the delay is over. */
  stopIfNoneIsReady(): void {
    for (let weights = this.#first; weights; weights = weights.next) if (weights.ready.first) return
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #forgetUnused(): void {
    while (this.#first && !this.#first.isUsed) this.#first = this.#first.next
    for (let weights = this.#first; weights?.next; ) {
      if (weights.next.isUsed) weights = weights.next
      else weights.next = weights.next.next
    }
  }
}
