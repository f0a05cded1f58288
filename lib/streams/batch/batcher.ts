/** Many live streams on one network: the public face of the queue, its options and its errors. */
import { availableParallelism } from 'node:os'
import { NetworkRef } from '../../calls/network-ref.ts'
import { type InitialState, readInitial, type States, stateChecks } from '../../calls/states.ts'
import { describe, fail } from '../../errors.ts'
import { anything, type Check, integer, readOptions } from '../../options/checks.ts'
import type { BackendName } from '../../spec/spec.ts'
import type { BatchTrace } from '../../tracing.ts'
import { BatchedStream, type BatcherHandle } from './batched-stream.ts'
import { type LayerBatch, LayerMemory } from './layer-memory.ts'
import { BatcherLife, type BatcherStats } from './life.ts'
import { BatchQueue, type QueueOptions } from './queue.ts'

/** Options of `layer.batcher`. */
export interface BatcherOptions {
  /** The most steps that run together; 64 by default. */
  maxBatch?: number
  /** How long a step may wait for others, in milliseconds; 0 by default: what waits when nothing runs goes at once. */
  maxDelayMs?: number
  /** The most steps that wait; one more is rejected with `ERR_RNN_OVERLOADED`. 1024 by default. */
  maxQueue?: number
}

const delay: Check<number> = (value, name) =>
  typeof value === 'number' && value >= 0 && value <= 2 ** 31 - 1
    ? value
    : fail('ERR_RNN_OPTION', `${name} must be a number of milliseconds from 0 to 2^31 − 1, got ${describe(value)}`)

/** The checks of {@link BatcherOptions}. */
export const batcherChecks = { maxBatch: integer(1, 4096), maxDelayMs: delay, maxQueue: integer(1, 2 ** 24) } as const

/** What a queue may do, by the options and the backend. */
export function limitsOf(options: BatcherOptions, backend: BackendName): QueueOptions {
  const { maxBatch = 64, maxDelayMs = 0, maxQueue = 1024 } = options
  // Full batches run beside each other, one a processor, and one more waits, so that no thread is idle between two; the TypeScript
  // backend has only JavaScript's own.
  const maxRunning = backend === 'typescript' ? 1 : availableParallelism() + 1
  return { maxBatch, maxDelayMs, maxQueue, maxRunning }
}

/**
 * Runs the steps of many live streams in batches, beside the JavaScript thread. Steps that wait at the same moment, of any of the streams,
 * go together; what a stream gets is the same bits as if it were alone. It keeps the weights that the layer had when it was made.
 *
 * Batchers are made by `layer.batcher()`.
 *
 * @example
 * const batcher = lstm.batcher()
 * const stream = batcher.open()
 * const output = await stream.step(frame)
 */
export class Batcher<S extends States = States, I extends InitialState = InitialState> {
  readonly #ref: NetworkRef
  readonly #handle: BatcherHandle
  readonly #life: BatcherLife<LayerBatch>

  /** @internal use `layer.batcher()` */
  constructor(layer: BatchTrace['layer'], current: () => NetworkRef, options: unknown) {
    if (typeof current !== 'function' || !(current() instanceof NetworkRef)) {
      fail('ERR_RNN_OPTION', 'batchers are made by layer.batcher(), not by new')
    }
    const read = readOptions(options, batcherChecks, `${layer}.batcher`)
    // A getter of the options may have disposed the layer, or loaded other weights.
    const ref = current()
    const { backend, network, spec } = ref
    const limits = limitsOf(read, backend.name)
    const memory = new LayerMemory(network.batch(), spec, limits)
    const queue = new BatchQueue<LayerBatch>(memory, limits, { layer, backend: backend.name })
    this.#ref = ref.retain()
    this.#life = new BatcherLife(queue, () => ref.release())
    this.#handle = { ref, queue, onClosed: this.#life.streamClosed }
  }

  /**
   * Opens a live sequence.
   *
   * @param state the state to begin with: h0 (L, O) or (L, 1, O), for an LSTM c0 (L, H) or (L, 1, H); what is left out is zeros
   * @throws RNNError `ERR_RNN_DISPOSED` after `close()`, `ERR_RNN_OPTION`, `ERR_RNN_SHAPE`
   */
  open(state?: I): BatchedStream<S, I> {
    this.#life.checkOpen()
    const { spec } = this.#ref
    const given = readOptions(state, stateChecks(spec, { h0: anything, c0: anything }), 'Batcher.open')
    const { h0, c0 } = readInitial(spec, given, 1)
    return this.#life.open({ h: h0, c: c0 }, (lane) => new BatchedStream<S, I>(lane, this.#handle))
  }

  /** Counts since the batcher was made. */
  stats(): BatcherStats {
    return this.#life.stats()
  }

  /** Resolves when no step waits or runs. */
  drain(): Promise<void> {
    return this.#life.drain()
  }

  /**
   * From now on no stream takes a step; those that wait are finished, without waiting for others. The states of open streams can still be
   * read and saved.
   */
  close(): Promise<void> {
    return this.#life.close()
  }
}
