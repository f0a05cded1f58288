/** The life of a batcher, whatever its streams are of: how many are open, what was done, and when nothing needs it any more. */

import { fail } from '../../errors.ts'
import type { Lane } from './lane.ts'
import type { BatchTypes } from './memory.ts'
import type { BatchQueue } from './queue.ts'

/** What a batcher has done and what it has before it. */
export interface BatcherStats {
  /** Open streams. */
  streams: number
  /** Steps that wait. */
  queued: number
  /** Batches that were started. */
  batches: number
  /** Steps that were done. */
  steps: number
  /** Steps a batch, on average. */
  meanBatch: number
}

export class BatcherLife<K extends BatchTypes> {
  readonly #queue: BatchQueue<K>
  readonly #release: () => void
  #streams = 0
  #released = false

  /** To be called once for each stream that was opened. */
  readonly streamClosed = (): void => {
    this.#streams--
    this.#releaseIfDone()
  }

  /** @param release called once, when the batcher is closed, nothing runs, and no stream is open */
  constructor(queue: BatchQueue<K>, release: () => void) {
    this.#queue = queue
    this.#release = release
    // Called once before it is needed, as the queue does.
    this.#streams++
    this.streamClosed()
  }

  /** Throws after `close()`. */
  checkOpen(): void {
    if (this.#queue.isClosed) fail('ERR_RNN_DISPOSED', 'the batcher was closed and opens no more streams')
  }

  /** Opens a lane, and the stream on it. */
  open<Stream>(state: K['state'], make: (lane: Lane<K>) => Stream): Stream {
    // What read the state may have closed the batcher.
    this.checkOpen()
    const lane = this.#queue.open(state)
    try {
      const stream = make(lane)
      this.#streams++
      return stream
    } catch (error) {
      lane.close()
      throw error
    }
  }

  stats(): BatcherStats {
    const { queued, batches, steps } = this.#queue
    return { streams: this.#streams, queued, batches, steps, meanBatch: batches === 0 ? 0 : steps / batches }
  }

  drain(): Promise<void> {
    return this.#queue.drain(false)
  }

  async close(): Promise<void> {
    await this.#queue.drain(true)
    this.#releaseIfDone()
  }

  #releaseIfDone(): void {
    if (!this.#queue.isClosed || !this.#queue.isIdle || this.#streams > 0 || this.#released) return
    this.#released = true
    this.#release()
  }
}
