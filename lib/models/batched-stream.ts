/** One live sequence of a model's batcher, as users have it: its checks, its errors and its life. */

import { checkThis, failOption } from '../errors.ts'
import type { GraphData } from '../graph/tensor.ts'
import { create } from '../intrinsics/captured.ts'
import { rejected } from '../intrinsics/stack.ts'
import { trueLength, typedArrayName } from '../intrinsics/typed-arrays.ts'
import { type BatchedStepOptions, readSignalOf } from '../streams/batch/batched-stream.ts'
import { Lane } from '../streams/batch/lane.ts'
import type { BatcherLife } from '../streams/batch/life.ts'
import { elements } from '../tensor/shape.ts'
import type { ModelBatch } from './batch-memory.ts'
import type { Opening } from './opening.ts'
import { readExactly, readValues, stateRecord } from './states.ts'
import { soleInput } from './stream.ts'
import type { ModelData, ModelInput, ModelTensor } from './values.ts'

/** A live sequence of a {@link ModelBatcher}; opened by `batcher.open()`. */
export class BatchedModelStream {
  readonly #lane: Lane<ModelBatch>
  readonly #life: BatcherLife<ModelBatch>

  /** @internal use `batcher.open()` */
  constructor(lane: Lane<ModelBatch>, life: BatcherLife<ModelBatch>) {
    if (!(lane instanceof Lane)) failOption('streams are opened by batcher.open(), not by new')
    this.#lane = lane
    this.#life = life
  }

  /**
   * Takes a step when its turn comes: calls queue in order. The states move when the step is done; a step that fails or is aborted
   * moves nothing.
   *
   * @param inputs a value for each input that is no state, of the sizes of one row; a Float32Array is the one of type float32. Copied, so it
   * may be used again at once
   * @returns the step's outputs, without those that become states, in arrays of the caller's own
   * @throws (rejects) RNNError `ERR_RNN_SHAPE`, `ERR_RNN_OPTION`, `ERR_RNN_OVERLOADED`, `ERR_RNN_DISPOSED`; `signal.reason` when aborted
   */
  step(
    inputs: Record<string, ModelInput> | Float32Array,
    options?: BatchedStepOptions,
  ): Promise<Record<string, ModelData>> {
    try {
      checkThis(this, BatchedModelStream, 'stream.step')
      const signal = readSignalOf(options, 'BatchedModelStream.step')
      const frame = readFrame(this.#lane.target.memory.opening, inputs)
      return this.#life.queue.step(this.#lane, frame, signal)
    } catch (error) {
      return rejected(error)
    }
  }

  /**
   * The states after the newest step that is done.
   *
   * @returns copies, by the names of their inputs, of one row
   * @throws RNNError `ERR_RNN_DISPOSED`
   */
  state(): Record<string, ModelTensor> {
    checkThis(this, BatchedModelStream, 'stream.state')
    return stateRecord(this.#use().states, this.#life.queue.state(this.#lane))
  }

  /**
   * Begins anew, in the order of the calls: steps asked for before are done first.
   *
   * @param state the states to begin with, as for `batcher.open`. A failed call leaves all as they were.
   * @throws RNNError `ERR_RNN_OPTION`, `ERR_RNN_SHAPE`, `ERR_RNN_DISPOSED`
   */
  reset(state?: Record<string, ModelInput>): void {
    checkThis(this, BatchedModelStream, 'stream.reset')
    const values = readValues(state ?? create(null), this.#use().states, 'state', 'state')
    this.#life.queue.reset(this.#lane, values)
  }

  /**
   * The states after the newest step that is done, in the form of `ModelStream.save()`: `batcher.restore` and `model.restoreStream` take them back, on
   * the model that the stream's next call would run on.
   *
   * @throws RNNError `ERR_RNN_DISPOSED`
   */
  save(): Uint8Array {
    checkThis(this, BatchedModelStream, 'stream.save')
    return this.#life.save(this.#lane)
  }

  /** Takes no more steps; those that wait are finished. Idempotent. */
  close(): void {
    checkThis(this, BatchedModelStream, 'stream.close')
    this.#life.close(this.#lane)
  }

  #use(): Opening {
    this.#lane.checkOpen()
    return this.#lane.target.memory.opening
  }
}

/** Reads all inputs of one row; the values may be the caller's own arrays. */
function readFrame({ inputs, states }: Opening, given: unknown): GraphData[] {
  const kind = typedArrayName(given)
  if (kind !== undefined) {
    const sole = soleInput(inputs)
    if (kind === 'Float32Array' && inputs.length === 1 && trueLength(given as Float32Array) === elements(sole.shape)) {
      return [given as Float32Array]
    }
    if (inputs.length > 1) failOption(`the model has ${inputs.length} inputs: give values by name`)
    return [readExactly(given, sole)]
  }
  const values = readValues(given, inputs, 'input', 'inputs', states)
  const frame: GraphData[] = []
  for (let i = 0; i < inputs.length; i++) {
    frame[i] = values[i] ?? failOption(`${inputs[i].label} is missing: each step needs it`)
  }
  return frame
}
