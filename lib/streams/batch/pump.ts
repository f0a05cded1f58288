/**
 * Launches batches when they may go, and takes them back when they have ended. Which weights are next says choice.ts, who is in a batch and what becomes of
 * them batch.ts.
 */
import { nextTick } from '../../platform/process.ts'
import { type BatchTrace, batchChannel, isTraced, tell, tellError } from '../../tracing.ts'
import { Batch } from './batch.ts'
import { Choice } from './choice.ts'
import { clock } from './clock.ts'
import type { Counts } from './counts.ts'
import type { BatchTypes } from './memory.ts'
import type { Weights } from './weights.ts'

export class Pump<K extends BatchTypes> {
  readonly #counts: Counts
  readonly #maxBatch: number
  /** Of all weights that lanes may be ready on. */
  readonly choice: Choice<K>
  readonly #settled: () => void
  #running = 0
  #scheduled = false
  #turn = 0
  #pumping = false
  #hurry = false

  /** @param settled called whenever something has ended, and all who wanted to know were told */
  constructor(counts: Counts, options: { maxBatch: number; maxDelayMs: number }, settled: () => void) {
    this.#counts = counts
    this.#maxBatch = options.maxBatch
    this.choice = new Choice(options, () => this.#pump())
    this.#settled = settled
  }

  /** From now on no step waits for others. */
  hurry(): void {
    this.schedule()
    this.#hurry = true
  }

  /** At the end of this turn of JavaScript, so that all steps of the turn go into the same batch. Gives when that was first asked for. */
  schedule(): number {
    if (this.#scheduled) return this.#turn
    this.#turn = clock()
    nextTick(flush, this)
    this.#scheduled = true
    return this.#turn
  }

  flush(): void {
    this.#scheduled = false
    this.#pump()
  }

  /** Launches what may run now. */
  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    try {
      for (;;) {
        const weights = this.choice.next(this.#running, this.#hurry)
        if (!weights || !this.#launch(weights)) return
      }
    } finally {
      this.#pumping = false
    }
  }

  /** Whether it could. */
  #launch(weights: Weights<K>): boolean {
    const counts = this.#counts
    const batch = new Batch<K>(weights, this.#maxBatch, clock(), counts.waits)
    counts.queued -= batch.begun
    this.#running++
    weights.running++
    counts.telling++
    const { layer, queued } = counts
    const trace = isTraced(batchChannel)
      ? { layer, backend: weights.memory.backend, steps: batch.count, queued }
      : undefined
    if (trace) tell(batchChannel.start, trace)
    let launched = false
    try {
      batch.launch((ticket, error) => this.#ended(batch, ticket, error, trace))
      launched = true
      counts.batchHasStarted()
    } catch (error) {
      this.#release(batch, clock(), error)
      if (trace) tellError(batchChannel, trace, error)
      batch.tell(error)
      counts.telling--
      // Not at once: a subscriber that asks for a step each time would never let go.
      this.schedule()
    }
    if (trace) tell(batchChannel.end, trace)
    this.#settled()
    return launched
  }

  #ended(batch: Batch<K>, ticket: number, failure: Error | undefined, trace: BatchTrace | undefined): void {
    if (trace && failure) tellError(batchChannel, trace, failure)
    if (trace) tell(batchChannel.asyncStart, trace)
    const now = clock()
    let error: unknown = failure
    try {
      batch.collect(ticket, error)
    } catch (thrown) {
      error = thrown
    }
    this.#counts.runs.note(now - batch.since)
    if (error === undefined) this.#counts.steps += batch.count
    this.#release(batch, now, error)
    // The next batch runs while JavaScript looks at the results of this one.
    this.#pump()
    batch.tell(error)
    this.#counts.telling--
    if (trace) tell(batchChannel.asyncEnd, trace)
    this.#settled()
  }

  #release(batch: Batch<K>, now: number, error: unknown): void {
    this.#running--
    batch.weights.running--
    this.#counts.queued -= batch.release(now, error)
  }
}

function flush<K extends BatchTypes>(pump: Pump<K>): void {
  pump.flush()
}
