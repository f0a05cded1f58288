/** What a batcher counts, and the calls that it refuses because there is no room. */
import { fail } from '../../errors.ts'
import { type BatchTrace, type RejectTrace, rejectChannel, tellAny } from '../../tracing.ts'
import { Latencies } from './latencies.ts'

/** So many batches are a window of what is noted of them: four are kept. */
const perWindow = 250

export class Counts {
  /** The class of the layer, for traces. */
  readonly layer: BatchTrace['layer']
  /** Streams that are open. */
  streams = 0
  /** Calls that wait: steps, and runs of which some frame waits or will. */
  queued = 0
  /** Batches and aborts of which not all promises are settled. */
  telling = 0
  batches = 0
  steps = 0
  /** Calls that were refused because there was no room. */
  rejected = 0
  /** How long steps could have gone before they did, and how long batches took. */
  readonly waits = new Latencies()
  readonly runs = new Latencies()

  constructor(layer: BatchTrace['layer']) {
    this.layer = layer
  }

  batchHasStarted(): void {
    if (++this.batches % perWindow > 0) return
    this.waits.turn()
    this.runs.turn()
  }

  /** Throws `ERR_RNN_OVERLOADED`, and tells of it. */
  refuse(call: RejectTrace['call'], backend: string, words: string): never {
    this.rejected++
    const { layer, streams, queued } = this
    tellAny(rejectChannel, () => ({ layer, backend, call, streams, queued }))
    return fail('ERR_RNN_OVERLOADED', words)
  }
}
