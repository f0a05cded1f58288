/** Many live streams of one model: the public face of the queue, its options and its errors. */

import { checkThis, describe, failOption, foreign } from '../errors.ts'
import { create } from '../intrinsics/captured.ts'
import { readOptions } from '../options/checks.ts'
import { BatcherLife, type BatcherStats } from '../streams/batch/life.ts'
import {
  type BatcherOptions,
  batcherChecks,
  limitsOf,
  type ReplaceOptions,
  replaceChecks,
} from '../streams/batch/options.ts'
import { type ModelBatch, ModelMemory } from './batch-memory.ts'
import { checkSameFaces, openBatch, openInPlace, settledOptions } from './batch-opening.ts'
import { BatchedModelStream } from './batched-stream.ts'
import { ModelCore } from './core.ts'
import { type ModelStreamOptions, type ReadStreamOptions, streamChecks } from './opening.ts'
import { decodeStates, readValues } from './states.ts'
import type { ModelInput, ModelValue } from './values.ts'

/** Options of `model.batcher`. */
export interface ModelBatcherOptions extends BatcherOptions<BatchedModelStream>, ModelStreamOptions {}

/** What a batcher needs of the models above it. */
export interface BatcherModels {
  /** The model that it is of. */
  current(): ModelCore
  /** Any model; undefined for what is none. */
  coreOf(model: unknown): ModelCore | undefined
}

/** A {@link Model}. */
export interface BatchableModel {
  readonly inputs: readonly ModelValue[]
  readonly outputs: readonly ModelValue[]
  /** As {@link Model.batcher}. */
  batcher(options?: ModelBatcherOptions): ModelBatcher
}

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
  readonly #models: BatcherModels
  readonly #limits: ReturnType<typeof limitsOf>
  /** What streams take, with all sizes: of any model that takes this one's place. */
  readonly #options: ReadStreamOptions
  readonly #life: BatcherLife<ModelBatch>

  /** @internal use `model.batcher()` */
  constructor(models: BatcherModels, options: unknown) {
    if (typeof models?.current !== 'function' || !(models.current() instanceof ModelCore)) {
      failOption('batchers are made by model.batcher(), not by new')
    }
    this.#models = models
    const read = readOptions(options, { ...batcherChecks, ...streamChecks }, 'Model.batcher')
    this.#limits = limitsOf(read)
    const batch = openBatch(models.current, read, this.#limits.maxBatch)
    this.#options = settledOptions(batch, read)
    this.#life = new BatcherLife(new ModelMemory(batch, this.#limits), this.#limits, 'Model')
  }

  /**
   * Opens a live sequence.
   *
   * @param state the states to begin with, of one row, by the names of their inputs; what is left out is zeros
   * @throws RNNError `ERR_RNN_OVERLOADED` where `maxStreams` are open, `ERR_RNN_DISPOSED` after `close()`, `ERR_RNN_OPTION`, `ERR_RNN_SHAPE`
   */
  open(state?: Record<string, ModelInput>): BatchedModelStream {
    checkThis(this, ModelBatcher, 'batcher.open')
    this.#life.checkRoom('open')
    const { states } = this.#life.current.memory.opening
    return this.#openOn('open', readValues(state ?? create(null), states, 'state', 'state'))
  }

  /**
   * Opens a live sequence on states that `BatchedModelStream.save()` or `ModelStream.save()` gave, on any backend and machine, of one row.
   *
   * @throws RNNError `ERR_RNN_STATE` for bytes that are damaged, or of another model; `ERR_RNN_OVERLOADED` where `maxStreams` are open,
   * `ERR_RNN_DISPOSED` after `close()`
   * @example
   * const batcher = vad.batcher({ states: { state: 'stateN' }, shapes: { input: [1, 576] } })
   * const stream = batcher.restore(await readFile('call.state'))
   */
  restore(bytes: Uint8Array): BatchedModelStream {
    checkThis(this, ModelBatcher, 'batcher.restore')
    this.#life.checkRoom('restore')
    const { memory } = this.#life.current
    const state = memory.states.newValues(1)
    decodeStates(memory.opening, bytes, state)
    return this.#openOn('restore', state)
  }

  #openOn(call: 'open' | 'restore', state: ModelBatch['state']): BatchedModelStream {
    return this.#life.open(call, state, (lane) => new BatchedModelStream(lane, this.#life))
  }

  /** Counts since the batcher was made, and times of late. */
  stats(): BatcherStats {
    checkThis(this, ModelBatcher, 'batcher.stats')
    return this.#life.stats()
  }

  /**
   * Another model from the next call on: one whose inputs, outputs and states have the names, types and sizes of this one's, on any backend. Calls that
   * were made before are finished on the model that they were made on; no step mixes two, and none is lost. The model may be disposed afterwards.
   *
   * @param options `streams: 'move'` (default): all open streams take their states along. 'keep': they end on the model that they have, and only
   * those that are opened from now on have the new one
   * @throws RNNError `ERR_RNN_SHAPE` where sizes differ, `ERR_RNN_OPTION` where names or types do, or for a graph that no batcher takes;
   * `ERR_RNN_DISPOSED`; then nothing has changed
   * @example
   * const batcher = vad.batcher({ states: { state: 'stateN' }, shapes: { input: [1, 576] } })
   * batcher.replace(await Model.load('retrained.onnx'))
   */
  replace(model: BatchableModel, options?: ReplaceOptions): void {
    checkThis(this, ModelBatcher, 'batcher.replace')
    this.#life.checkLiving()
    const { streams = 'move' } = readOptions(options, replaceChecks, 'ModelBatcher.replace')
    const core =
      this.#models.coreOf(model) ?? failOption(`model must be a Model, got ${describe(model)}${foreign(model)}`)
    const batch = openInPlace(core, this.#options, this.#limits.maxBatch)
    checkSameFaces(this.#life.current.memory.opening, batch.opening)
    this.#life.checkLiving()
    this.#life.replace(new ModelMemory(batch, this.#limits), streams === 'move')
  }

  /** Resolves when no step waits or runs. */
  drain(): Promise<void> {
    checkThis(this, ModelBatcher, 'batcher.drain')
    return this.#life.drain()
  }

  /**
   * From now on no stream takes a step; those that wait are finished, without waiting for others. The states of open streams can still be
   * read and saved.
   */
  close(): Promise<void> {
    checkThis(this, ModelBatcher, 'batcher.close')
    return this.#life.end()
  }
}
