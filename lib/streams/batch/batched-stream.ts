/** One live sequence of a batcher, as users have it: its checks, its errors and its life. */
import { readSignal, throwIfAborted } from '../../calls/abort-signal.ts'
import type { NetworkRef } from '../../calls/network-ref.ts'
import { type InitialState, readStates, type States, shapeStates } from '../../calls/states.ts'
import { checkThis, failOption } from '../../errors.ts'
import { copyOf, newPromise, zeros } from '../../intrinsics/captured.ts'
import { rejected } from '../../intrinsics/stack.ts'
import { readOptions } from '../../options/checks.ts'
import { outputSizeOf } from '../../spec/spec.ts'
import { Tensor, type TensorLike } from '../../tensor/tensor.ts'
import { readFrames } from '../frames.ts'
import { Lane } from './lane.ts'
import type { LayerBatch, LayerMemory } from './layer-memory.ts'
import type { BatcherLife } from './life.ts'

/** Options of `BatchedStream.step` and `run`. */
export interface BatchedStepOptions {
  /** Takes the call back: it rejects with the signal's reason, and the state does not move for it. */
  signal?: AbortSignal
}

/** A live sequence of a {@link Batcher}; opened by `batcher.open()`. */
export class BatchedStream<S extends States = States, I extends InitialState = InitialState> {
  readonly #lane: Lane<LayerBatch>
  readonly #life: BatcherLife<LayerBatch>

  /** @internal use `batcher.open()` */
  constructor(lane: Lane<LayerBatch>, life: BatcherLife<LayerBatch>) {
    if (!(lane instanceof Lane)) failOption('streams are opened by batcher.open(), not by new')
    this.#lane = lane
    this.#life = life
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
      checkThis(this, BatchedStream, 'stream.step')
      const signal = readSignalOf(options, 'BatchedStream.step')
      return this.#life.queue.step(this.#lane, frame, signal)
    } catch (error) {
      return rejected(error)
    }
  }

  /**
   * Takes many steps when their turns come: one a batch, so that it holds no other stream up. It stands in the order of calls as one, and counts
   * as one that waits, however many frames it has. The state moves when all of it is done; a run that fails or is aborted moves nothing. All its
   * steps are on the weights that the stream had when it was called.
   *
   * @param frames (T, I); copied
   * @returns the outputs of all steps, (T, O): the bits that `step` gives
   * @throws (rejects) RNNError `ERR_RNN_SHAPE`, `ERR_RNN_OPTION`, `ERR_RNN_OVERLOADED`, `ERR_RNN_DISPOSED`; `signal.reason` when aborted
   * @example
   * const stream = lstm.batcher().open()
   * const { data, shape } = await stream.run(frames, { signal: AbortSignal.timeout(1000) })
   */
  run(frames: TensorLike, options?: BatchedStepOptions): Promise<Tensor> {
    try {
      checkThis(this, BatchedStream, 'stream.run')
      const { spec } = this.#use()
      const signal = readSignalOf(options, 'BatchedStream.run')
      const { data, shape } = readFrames(spec, frames, 1, 2)
      const count = shape[0]
      const O = outputSizeOf(spec)
      const output = new Tensor(zeros(count * O), [count, O])
      const own = copyOf(data)
      const write = (memory: LayerMemory, slot: number, at: number) => memory.writeFrame(slot, own, at)
      const { queue } = this.#life
      // A signal may have aborted the run before its own code throws: the promise that is made here is the one to give.
      return newPromise((resolve, reject) => {
        const told = { resolve: () => resolve(output), reject }
        if (count > 0) return queue.run(this.#lane, { count, write }, output.data, told, signal)
        queue.checkTaking(this.#lane)
        resolve(output)
      })
    } catch (error) {
      return rejected(error)
    }
  }

  /**
   * The state after the newest call that is done.
   *
   * @returns copies: hn (L, 1, O), and for an LSTM cn (L, 1, H)
   * @throws RNNError `ERR_RNN_DISPOSED`
   */
  state(): S {
    checkThis(this, BatchedStream, 'stream.state')
    return shapeStates(this.#use().spec, 1, this.#life.queue.state(this.#lane)) as S
  }

  /**
   * Begins anew, in the order of the calls: steps asked for before are done first.
   *
   * @param state the state to begin with, as for `batcher.open`. A failed call leaves the state as it was.
   * @throws RNNError `ERR_RNN_OPTION`, `ERR_RNN_SHAPE`, `ERR_RNN_DISPOSED`
   */
  reset(state?: I): void {
    checkThis(this, BatchedStream, 'stream.reset')
    const { spec } = this.#use()
    const { h0, c0 } = readStates(spec, state, 1, 'BatchedStream.reset')
    this.#life.queue.reset(this.#lane, { h: h0, c: c0 })
  }

  /**
   * The state after the newest call that is done, in the form of `Stream.save()`: `batcher.restore` and `layer.restoreStream` take it back, on the
   * weights that the stream's next call would run on.
   *
   * @throws RNNError `ERR_RNN_DISPOSED`
   */
  save(): Uint8Array {
    checkThis(this, BatchedStream, 'stream.save')
    return this.#life.save(this.#lane)
  }

  /** Takes no more steps; those that wait are finished. Idempotent. */
  close(): void {
    checkThis(this, BatchedStream, 'stream.close')
    this.#life.close(this.#lane)
  }

  #use(): NetworkRef {
    this.#lane.checkOpen()
    return this.#lane.target.memory.ref
  }
}

/** The signal of a call's options, if there is one; throws its reason where it is aborted. */
export function readSignalOf(options: unknown, where: string): AbortSignal | undefined {
  if (options === undefined) return undefined
  const { signal } = readOptions(options, { signal: readSignal }, where)
  if (signal) throwIfAborted(signal)
  return signal
}
