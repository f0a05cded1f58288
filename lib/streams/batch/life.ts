/** The life of a batcher, whatever its streams are of: which are open, on which weights, and when nothing needs these any more. */

import { plural } from '../../errors.ts'
import { mapDelete, mapEach, mapSet, newInts } from '../../intrinsics/captured.ts'
import { ensureStack } from '../../intrinsics/stack.ts'
import { nextTick } from '../../platform/process.ts'
import { type BatchTrace, evictChannel, tellAny } from '../../tracing.ts'
import { clock } from './clock.ts'
import { Counts } from './counts.ts'
import { IdleLanes } from './idle.ts'
import type { Lane } from './lane.ts'
import type { Percentiles } from './latencies.ts'
import type { BatchTypes } from './memory.ts'
import { BatchQueue, type QueueOptions } from './queue.ts'
import { Weights, type WholeMemory } from './weights.ts'

/** What a batcher has done and what it has before it. */
export interface BatcherStats {
  /** Open streams. */
  streams: number
  /** Calls that wait: steps, and runs of which frames wait. */
  queued: number
  /** Batches that were started. */
  batches: number
  /** Steps that were done. */
  steps: number
  /** Steps a batch, on average. */
  meanBatch: number
  /** Calls that were refused with `ERR_RNN_OVERLOADED`. */
  rejected: number
  /** Streams that were closed because they were idle for `idleMs`. */
  evicted: number
  /**
   * Milliseconds for which a step that could go waited for its batch: from the call, or from the end of its stream's step before it, to the start. Of the last
   * 750 to 1,000 batches, within 3 %; 0 where there was none.
   */
  waitMs: Percentiles
  /** Milliseconds from the start of a batch to its end, as JavaScript hears of it; of the same batches. */
  batchMs: Percentiles
}

/** How many streams may be open, and for how long without a step. */
export interface LifeOptions {
  readonly maxStreams: number
  readonly idleMs: number
  readonly onIdle: ((stream: never, saved: Uint8Array) => void) | undefined
}

export class BatcherLife<K extends BatchTypes> {
  readonly queue: BatchQueue<K>
  readonly #options: LifeOptions
  readonly #counts: Counts
  readonly #idle: IdleLanes<K> | undefined
  /** The weights of streams that are opened now. */
  current: Weights<K>
  /** The lanes that are open: each by itself. */
  readonly #open = new Map<Lane<K>, Lane<K>>()
  #evicted = 0
  #released = false

  constructor(memory: WholeMemory<K>, options: QueueOptions & LifeOptions, layer: BatchTrace['layer']) {
    this.#options = options
    this.#idle =
      options.idleMs > 0 ? new IdleLanes<K>(options.idleMs, (lane) => this.#evict(lane as Lane<K>)) : undefined
    this.current = new Weights(memory)
    this.#counts = new Counts(layer)
    this.queue = new BatchQueue<K>(this.current, options, this.#counts, this.#idle)
    // Called once before it is needed, as the queue does.
    this.close(this.open('open', memory.zeroState, (lane) => ({ lane })).lane)
  }

  /** Throws after `close()`. */
  checkLiving(): void {
    this.queue.checkLiving('takes no other weights')
  }

  /** Throws after `close()`, and where no more streams may be open. */
  checkRoom(call: 'open' | 'restore'): void {
    this.queue.checkLiving('opens no more streams')
    const { streams } = this.#counts
    const { maxStreams } = this.#options
    if (streams < maxStreams) return
    this.#counts.refuse(
      call,
      this.current.memory.backend,
      `the batcher is full: ${plural(streams, 'stream is', 'streams are')} open, and maxStreams is ${maxStreams}`,
    )
  }

  /** Opens a lane, and the stream on it. */
  open<Stream>(call: 'open' | 'restore', state: K['state'], make: (lane: Lane<K>) => Stream): Stream {
    // What read the state may have closed the batcher, or opened others.
    this.checkRoom(call)
    const lane = this.queue.open(this.current, state)
    try {
      const stream = make(lane)
      lane.stream = stream
      mapSet(this.#open, lane, lane)
      this.#counts.streams++
      return stream
    } catch (error) {
      lane.close()
      throw error
    }
  }

  /** The bytes of a stream's state: of the weights that its next call runs on. */
  save(lane: Lane<K>): Uint8Array {
    lane.checkOpen()
    return lane.target.memory.encode(this.queue.state(lane))
  }

  /** Takes no more steps of a stream. */
  close(lane: Lane<K>): void {
    if (lane.isClosed) return
    ensureStack()
    // First what goes deepest: engines differ in how much stack a call takes.
    mapDelete(this.#open, lane)
    this.#counts.streams--
    lane.close()
  }

  /**
   * From now on streams are opened on other weights; with `move`, those that are open go over to them, each after what it was asked for before.
   * All or nothing.
   */
  replace(memory: WholeMemory<K>, move: boolean): void {
    const weights = new Weights<K>(memory)
    try {
      ensureStack()
      const count = move ? this.#counts.streams : 0
      const slots = newInts(count)
      for (let i = 0; i < count; i++) slots[i] = memory.takeState(memory.zeroState)
      this.queue.add(weights)
      let i = 0
      if (move) mapEach(this.#open, (lane) => lane.move(weights, slots[i++]))
    } catch (error) {
      weights.release()
      throw error
    }
    const old = this.current
    this.current = weights
    old.release()
  }

  /** Saves and closes a stream that was idle for too long, and tells of it. */
  #evict(lane: Lane<K>): void {
    const { stream } = lane
    const { idleMs, onIdle } = this.#options
    let saved: Uint8Array
    try {
      saved = this.save(lane)
    } catch (error) {
      // Memory is missing: it stays open, and its time begins anew.
      this.#idle!.remove(lane)
      this.#idle!.add(lane, clock())
      nextTick(raise, error)
      return
    }
    this.close(lane)
    this.#evicted++
    // In a turn of its own: it may call anything, and throw.
    if (onIdle) nextTick(onIdle, stream, saved)
    const { layer, streams } = this.#counts
    tellAny(evictChannel, () => ({ layer, backend: lane.target.memory.backend, idleMs, streams }))
  }

  stats(): BatcherStats {
    const { streams, queued, batches, steps, rejected, waits, runs } = this.#counts
    return {
      streams,
      queued,
      batches,
      steps,
      meanBatch: batches === 0 ? 0 : steps / batches,
      rejected,
      evicted: this.#evicted,
      waitMs: waits.percentiles(),
      batchMs: runs.percentiles(),
    }
  }

  drain(): Promise<void> {
    return this.queue.drain()
  }

  async end(): Promise<void> {
    const ended = this.queue.drain(true)
    this.#idle?.stop()
    await ended
    if (this.#released) return
    this.#released = true
    this.current.release()
  }
}

function raise(error: unknown): never {
  throw error
}
