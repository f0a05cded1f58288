/** Many live streams on one network: the public face of the queue, its options and its errors. */
import { availableParallelism } from 'node:os'
import { readSignal } from '../../calls/abort-signal.ts'
import type { InitialState, States } from '../../calls/forward.ts'
import { LoadedNetwork } from '../../calls/network-ref.ts'
import { describe, fail } from '../../errors.ts'
import { anything, type Check, integer, readOptions } from '../../options/options.ts'
import { Tensor } from '../../tensor/tensor.ts'
import type { BatchTrace } from '../../tracing.ts'
import { outputSizeOf } from '../../weights/names.ts'
import { encodeState } from '../saved-state.ts'
import { readInitial, stateChecks } from '../stream.ts'
import { checkFrame } from '../stream-step.ts'
import type { Lane } from './lane.ts'
import { BatchQueue } from './queue.ts'

/** Options of `layer.batcher`. */
export interface BatcherOptions {
  /** The most steps that run together; 64 by default. */
  maxBatch?: number
  /** How long a step may wait for others, in milliseconds; 0 by default: what waits when nothing runs goes at once. */
  maxDelayMs?: number
  /** The most steps that wait; one more is rejected with `ERR_RNN_OVERLOADED`. 1024 by default. */
  maxQueue?: number
}

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

/** Options of `BatchedStream.step`. */
export interface BatchedStepOptions {
  /** Takes the step back: it rejects with the signal's reason, and the state does not move for it. */
  signal?: AbortSignal
}

const delay: Check<number> = (value, name) =>
  typeof value === 'number' && value >= 0 && value <= 2 ** 31 - 1
    ? value
    : fail('ERR_RNN_OPTION', `${name} must be a number of milliseconds from 0 to 2^31 − 1, got ${describe(value)}`)

const checks = { maxBatch: integer(1, 4096), maxDelayMs: delay, maxQueue: integer(1, 2 ** 24) } as const

let openStream: (batcher: Batcher, state: unknown) => BatchedStream

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
  readonly #loaded: LoadedNetwork
  readonly #queue: BatchQueue
  #streams = 0
  #closed = false
  #released = false

  /** @internal use `layer.batcher()` */
  constructor(layer: BatchTrace['layer'], loaded: LoadedNetwork, options: unknown) {
    if (!(loaded instanceof LoadedNetwork)) fail('ERR_RNN_OPTION', 'batchers are made by layer.batcher(), not by new')
    const { maxBatch = 64, maxDelayMs = 0, maxQueue = 1024 } = readOptions(options, checks, `${layer}.batcher`)
    const { backend, network, spec } = loaded
    // Full batches run beside each other, one a processor, and one more waits, so that no thread is idle between two; the TypeScript
    // backend has only JavaScript's own.
    const maxRunning = backend.name === 'typescript' ? 1 : availableParallelism() + 1
    const limits = { maxBatch, maxDelayMs, maxQueue, maxRunning }
    this.#queue = new BatchQueue(network.batch(), spec, limits, { layer, backend: backend.name })
    this.#loaded = loaded.retain()
  }

  static {
    openStream = (batcher, state) => {
      if (batcher.#closed) closed()
      const given = readOptions(state, stateChecks(batcher.#loaded, { h0: anything, c0: anything }), 'Batcher.open')
      const { h0, c0 } = readInitial(batcher.#loaded, given, 1)
      if (batcher.#closed) closed()
      const lane = batcher.#queue.open({ h: h0, c: c0 })
      batcher.#streams++
      return new BatchedStream(lane, {
        loaded: batcher.#loaded,
        queue: batcher.#queue,
        isClosed: () => batcher.#closed,
        gone: () => {
          batcher.#streams--
          batcher.#releaseIfDone()
        },
      })
    }
  }

  /**
   * Opens a live sequence.
   *
   * @param state the state to begin with: h0 (L, O) or (L, 1, O), for an LSTM c0 (L, H) or (L, 1, H); what is left out is zeros
   * @throws RNNError `ERR_RNN_DISPOSED` after `close()`, `ERR_RNN_OPTION`, `ERR_RNN_SHAPE`
   */
  open(state?: I): BatchedStream<S, I> {
    return openStream(this, state) as unknown as BatchedStream<S, I>
  }

  /** Counts since the batcher was made. */
  stats(): BatcherStats {
    const { queued, batches, steps } = this.#queue
    return { streams: this.#streams, queued, batches, steps, meanBatch: batches === 0 ? 0 : steps / batches }
  }

  /** Resolves when no step waits or runs. */
  drain(): Promise<void> {
    return this.#queue.drain(false)
  }

  /**
   * From now on no stream takes a step; those that wait are finished, without waiting for others. The states of open streams can still be
   * read and saved.
   */
  async close(): Promise<void> {
    this.#closed = true
    await this.#queue.drain(true)
    this.#releaseIfDone()
  }

  #releaseIfDone(): void {
    if (!this.#closed || this.#streams > 0 || this.#released) return
    this.#released = true
    this.#loaded.release()
  }
}

/** What a stream has of its batcher. */
interface Host {
  readonly loaded: LoadedNetwork
  readonly queue: BatchQueue
  isClosed(): boolean
  gone(): void
}

/** A live sequence of a {@link Batcher}; opened by `batcher.open()`. */
export class BatchedStream<S extends States = States, I extends InitialState = InitialState> {
  readonly #lane: Lane
  readonly #host: Host
  readonly #queue: BatchQueue
  readonly #inputSize: number
  #closed = false

  /** @internal use `batcher.open()` */
  constructor(lane: Lane, host: Host) {
    if (!(host?.loaded instanceof LoadedNetwork))
      fail('ERR_RNN_OPTION', 'streams are opened by batcher.open(), not by new')
    this.#lane = lane
    this.#host = host
    this.#queue = host.queue
    this.#inputSize = host.loaded.spec.inputSize
  }

  /**
   * Takes a step when its turn comes: calls queue in order. The state moves when the step is done; a step that fails or is aborted
   * moves nothing.
   *
   * @param frame I values; copied, so it may be used again at once
   * @returns the step's O values, an array of the caller's own
   * @throws (rejects) RNNError `ERR_RNN_SHAPE`, `ERR_RNN_OPTION`, `ERR_RNN_OVERLOADED`, `ERR_RNN_DISPOSED`; `signal.reason` when aborted
   */
  step(frame: Float32Array, options?: BatchedStepOptions): Promise<Float32Array> {
    try {
      if (this.#closed || this.#host.isClosed()) this.#use(true)
      const signal = options === undefined ? undefined : readStepOptions(options)
      signal?.throwIfAborted()
      // The options may have getters that close the stream or take the frame away, so this comes after them.
      if (this.#closed || this.#host.isClosed()) this.#use(true)
      checkFrame(frame, this.#inputSize, 'I')
      return this.#queue.step(this.#lane, frame, signal)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * The state after the newest step that is done.
   *
   * @returns copies: hn (L, 1, O), and for an LSTM cn (L, 1, H)
   * @throws RNNError `ERR_RNN_DISPOSED`
   */
  state(): S {
    const { spec } = this.#use(false).loaded
    const { h, c } = this.#queue.state(this.#lane)
    const hn = new Tensor(h, [spec.numLayers, 1, outputSizeOf(spec)])
    const states: States = c ? { hn, cn: new Tensor(c, [spec.numLayers, 1, spec.hiddenSize]) } : { hn }
    return states as S
  }

  /**
   * Begins anew, in the order of the calls: steps asked for before are done first.
   *
   * @param state the state to begin with, as for `batcher.open`. A failed call leaves the state as it was.
   * @throws RNNError `ERR_RNN_OPTION`, `ERR_RNN_SHAPE`, `ERR_RNN_DISPOSED`
   */
  reset(state?: I): void {
    const { loaded } = this.#use(false)
    const given = readOptions(state, stateChecks(loaded, { h0: anything, c0: anything }), 'BatchedStream.reset')
    const { h0, c0 } = readInitial(loaded, given, 1)
    this.#use(false)
    this.#queue.reset(this.#lane, { h: h0, c: c0 })
  }

  /**
   * The state after the newest step that is done, in the form of `Stream.save()`: `layer.restoreStream` takes it back.
   *
   * @throws RNNError `ERR_RNN_DISPOSED`
   */
  save(): Uint8Array {
    return encodeState(this.#use(false).loaded, { batchSize: 1, ...this.#queue.state(this.#lane) })
  }

  /** Takes no more steps; those that wait are finished. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#queue.close(this.#lane)
    this.#host.gone()
  }

  #use(toStep: boolean): Host {
    if (this.#closed) fail('ERR_RNN_DISPOSED', 'the stream was closed and cannot be used any more')
    if (toStep && this.#host.isClosed()) fail('ERR_RNN_DISPOSED', 'the batcher was closed and takes no more steps')
    return this.#host
  }
}

function closed(): never {
  fail('ERR_RNN_DISPOSED', 'the batcher was closed and opens no more streams')
}

function readStepOptions(options: unknown): AbortSignal | undefined {
  return readOptions(options, { signal: readSignal }, 'BatchedStream.step').signal
}
