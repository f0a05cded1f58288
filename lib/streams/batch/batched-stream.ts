/** One live sequence of a batcher, as users have it: its checks, its errors and its life. */
import { readSignal, throwIfAborted } from '../../calls/abort-signal.ts'
import { NetworkRef } from '../../calls/network-ref.ts'
import { type InitialState, readInitial, type States, shapeStates, stateChecks } from '../../calls/states.ts'
import { fail } from '../../errors.ts'
import { newPromise } from '../../intrinsics/captured.ts'
import { ensureStack } from '../../intrinsics/stack.ts'
import { anything, readOptions } from '../../options/checks.ts'
import { encodeState } from '../saved-state.ts'
import type { Lane } from './lane.ts'
import type { LayerBatch } from './layer-memory.ts'
import type { BatchQueue } from './queue.ts'

/** Options of `BatchedStream.step`. */
export interface BatchedStepOptions {
  /** Takes the step back: it rejects with the signal's reason, and the state does not move for it. */
  signal?: AbortSignal
}

/** What a stream has of its batcher. */
export interface BatcherHandle {
  readonly ref: NetworkRef
  readonly queue: BatchQueue<LayerBatch>
  onClosed(): void
}

/** A live sequence of a {@link Batcher}; opened by `batcher.open()`. */
export class BatchedStream<S extends States = States, I extends InitialState = InitialState> {
  readonly #lane: Lane<LayerBatch>
  readonly #batcher: BatcherHandle
  readonly #queue: BatchQueue<LayerBatch>

  /** @internal use `batcher.open()` */
  constructor(lane: Lane<LayerBatch>, batcher: BatcherHandle) {
    if (!(batcher?.ref instanceof NetworkRef))
      fail('ERR_RNN_OPTION', 'streams are opened by batcher.open(), not by new')
    this.#lane = lane
    this.#batcher = batcher
    this.#queue = batcher.queue
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
      const signal = options === undefined ? undefined : readStepOptions(options)
      if (signal) throwIfAborted(signal)
      return this.#queue.step(this.#lane, frame, signal)
    } catch (error) {
      // Node has work to do for a promise that is rejected, and says so on stderr where the stack ends in it.
      ensureStack()
      return newPromise((_, reject) => reject(error))
    }
  }

  /**
   * The state after the newest step that is done.
   *
   * @returns copies: hn (L, 1, O), and for an LSTM cn (L, 1, H)
   * @throws RNNError `ERR_RNN_DISPOSED`
   */
  state(): S {
    const { spec } = this.#use().ref
    return shapeStates(spec, 1, this.#queue.state(this.#lane)) as S
  }

  /**
   * Begins anew, in the order of the calls: steps asked for before are done first.
   *
   * @param state the state to begin with, as for `batcher.open`. A failed call leaves the state as it was.
   * @throws RNNError `ERR_RNN_OPTION`, `ERR_RNN_SHAPE`, `ERR_RNN_DISPOSED`
   */
  reset(state?: I): void {
    const { ref } = this.#use()
    const given = readOptions(state, stateChecks(ref.spec, { h0: anything, c0: anything }), 'BatchedStream.reset')
    const { h0, c0 } = readInitial(ref.spec, given, 1)
    this.#use()
    this.#queue.reset(this.#lane, { h: h0, c: c0 })
  }

  /**
   * The state after the newest step that is done, in the form of `Stream.save()`: `layer.restoreStream` takes it back.
   *
   * @throws RNNError `ERR_RNN_DISPOSED`
   */
  save(): Uint8Array {
    return encodeState(this.#use().ref, { batchSize: 1, ...this.#queue.state(this.#lane) })
  }

  /** Takes no more steps; those that wait are finished. Idempotent. */
  close(): void {
    if (this.#lane.isClosed) return
    ensureStack()
    this.#lane.close()
    this.#batcher.onClosed()
  }

  #use(): BatcherHandle {
    this.#lane.checkOpen()
    return this.#batcher
  }
}

function readStepOptions(options: unknown): AbortSignal | undefined {
  return readOptions(options, { signal: readSignal }, 'BatchedStream.step').signal
}
