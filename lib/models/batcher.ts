/** Many live streams of one model: the public face of the queue, its options and its errors. */

import { fail } from '../errors.ts'
import { create } from '../intrinsics/captured.ts'
import { readOptions } from '../options/checks.ts'
import { type BatcherOptions, batcherChecks, limitsOf } from '../streams/batch/batcher.ts'
import { BatcherLife, type BatcherStats } from '../streams/batch/life.ts'
import { BatchQueue } from '../streams/batch/queue.ts'
import { type ModelBatch, ModelMemory } from './batch-memory.ts'
import { BatchedModelStream, type ModelBatcherHandle } from './batched-stream.ts'
import { ModelCore } from './core.ts'
import { type ModelStreamOptions, openProgram, planOf, readSizes, streamChecks } from './opening.ts'
import { layoutsOf, openRows, wantedAxes, withRows } from './rows.ts'
import { readValues } from './states.ts'
import type { ModelInput } from './values.ts'

/** Options of `model.batcher`. */
export interface ModelBatcherOptions extends BatcherOptions, ModelStreamOptions {}

/**
 * Runs the steps of many live streams of a model in batches, beside the JavaScript thread. Steps that wait at the same moment, of any of the
 * streams, go together; what a stream gets is the same bits as if it were alone. It lives on when its model is disposed.
 *
 * Batchers are made by `model.batcher()`.
 *
 * @example
 * const batcher = vad.batcher({ states: { state: 'stateN' }, shapes: { input: [1, 576] } })
 * const stream = batcher.open()
 * const { output } = await stream.step(frame)
 */
export class ModelBatcher {
  readonly #handle: ModelBatcherHandle
  readonly #life: BatcherLife<ModelBatch>

  /** @internal use `model.batcher()` */
  constructor(current: () => ModelCore, options: unknown) {
    if (typeof current !== 'function' || !(current() instanceof ModelCore)) {
      fail('ERR_RNN_OPTION', 'batchers are made by model.batcher(), not by new')
    }
    const read = readOptions(options, { ...batcherChecks, ...streamChecks }, 'Model.batcher')
    const axes = wantedAxes(current(), read)
    const sizes = readSizes(current(), read, openRows(current(), axes))
    // A getter of the options may have disposed the model.
    const core = current()
    const backend = core.backend.name
    const limits = limitsOf(read, backend)
    const opening = openProgram(core, sizes)
    const layouts = layoutsOf(core, sizes, axes, opening, read)
    const programFor = (rows: number) =>
      rows === 1 ? opening.program.retain() : core.load(planOf(core, sizes, withRows(sizes, axes, rows)))
    const memory = new ModelMemory(opening, layouts, programFor, limits)
    const queue = new BatchQueue<ModelBatch>(memory, limits, { layer: 'Model', backend })
    core.retain()
    opening.program.retain()
    this.#life = new BatcherLife(queue, () => {
      memory.dispose()
      opening.program.release()
      core.release()
    })
    this.#handle = { opening, queue, onClosed: this.#life.streamClosed }
  }

  /**
   * Opens a live sequence.
   *
   * @param state the states to begin with, of one row, by the names of their inputs; what is left out is zeros
   * @throws RNNError `ERR_RNN_DISPOSED` after `close()`, `ERR_RNN_OPTION`, `ERR_RNN_SHAPE`
   */
  open(state?: Record<string, ModelInput>): BatchedModelStream {
    this.#life.checkOpen()
    const values = readValues(state ?? create(null), this.#handle.opening.states, 'state', 'state')
    return this.#life.open(values, (lane) => new BatchedModelStream(lane, this.#handle))
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
