/** Many live streams on one network: the public face of the queue, and its errors. */
import { NetworkRef } from '../../calls/network-ref.ts'
import { type InitialState, readStates, type States } from '../../calls/states.ts'
import { checkThis, describe, fail, failOption, failShape, foreign } from '../../errors.ts'
import { readOptions } from '../../options/checks.ts'
import { cellTraits } from '../../spec/cell-traits.ts'
import type { NetworkSpec } from '../../spec/spec.ts'
import type { BatchTrace } from '../../tracing.ts'
import { decodeState } from '../saved-state.ts'
import type { Stream } from '../stream.ts'
import { BatchedStream } from './batched-stream.ts'
import { type LayerBatch, LayerMemory } from './layer-memory.ts'
import { BatcherLife, type BatcherStats } from './life.ts'
import { batcherChecks, limitsOf, type ReplaceOptions, replaceChecks } from './options.ts'

/** An {@link RNN}, a {@link GRU} or an {@link LSTM}. */
export interface StreamingLayer<S extends States = States, I extends InitialState = InitialState> {
  readonly inputSize: number
  readonly hiddenSize: number
  readonly numLayers: number
  /** A stream goes on from what `Stream.save()` gave. */
  restoreStream(bytes: Uint8Array): Stream<S, I>
}

/** What a batcher needs of the layers above it. */
export interface BatcherLayers {
  /** The network of the layer that it is of. */
  current(): NetworkRef
  /** The network of any layer; undefined for what is none. */
  networkOf(layer: unknown): NetworkRef | undefined
}

/**
 * Runs the steps of many live streams in batches, beside the JavaScript thread. Steps that wait at the same moment, of any of the streams,
 * go together; what a stream gets is the same bits as if it were alone. Streams take turns: none waits for a second step of another one. It keeps
 * the weights that the layer had when it was made, until `replace` gives it others.
 *
 * Batchers are made by `layer.batcher()`.
 *
 * @example
 * const batcher = lstm.batcher()
 * const stream = batcher.open()
 * const output = await stream.step(frame)
 */
export class Batcher<S extends States = States, I extends InitialState = InitialState> {
  readonly #layers: BatcherLayers
  readonly #limits: ReturnType<typeof limitsOf>
  readonly #life: BatcherLife<LayerBatch>

  /** @internal use `layer.batcher()` */
  constructor(layer: BatchTrace['layer'], layers: BatcherLayers, options: unknown) {
    if (typeof layers?.current !== 'function' || !(layers.current() instanceof NetworkRef)) {
      failOption('batchers are made by layer.batcher(), not by new')
    }
    this.#layers = layers
    this.#limits = limitsOf(readOptions(options, batcherChecks, `${layer}.batcher`))
    // A getter of the options may have disposed the layer, or loaded other weights.
    this.#life = new BatcherLife(new LayerMemory(layers.current(), this.#limits), this.#limits, layer)
  }

  /**
   * Opens a live sequence.
   *
   * @param state the state to begin with: h0 (L, O) or (L, 1, O), for an LSTM c0 (L, H) or (L, 1, H); what is left out is zeros
   * @throws RNNError `ERR_RNN_OVERLOADED` where `maxStreams` are open, `ERR_RNN_DISPOSED` after `close()`, `ERR_RNN_OPTION`, `ERR_RNN_SHAPE`
   */
  open(state?: I): BatchedStream<S, I> {
    checkThis(this, Batcher, 'batcher.open')
    this.#life.checkRoom('open')
    const { spec } = this.#life.current.memory.ref
    const { h0, c0 } = readStates(spec, state, 1, 'Batcher.open')
    return this.#openOn('open', { h: h0, c: c0 })
  }

  /**
   * Opens a live sequence on a state that `BatchedStream.save()` or `Stream.save()` gave, on any backend and machine, of one row.
   *
   * @throws RNNError `ERR_RNN_STATE` for bytes that are damaged, of other weights, or of a stream with more rows; `ERR_RNN_OVERLOADED` where `maxStreams`
   * are open, `ERR_RNN_DISPOSED` after `close()`
   * @example
   * const batcher = lstm.batcher()
   * const stream = batcher.restore(await readFile('call.state'))
   */
  restore(bytes: Uint8Array): BatchedStream<S, I> {
    checkThis(this, Batcher, 'batcher.restore')
    this.#life.checkRoom('restore')
    const { batchSize, h, c } = decodeState(this.#life.current.memory.ref, bytes)
    if (batchSize !== 1) {
      fail(
        'ERR_RNN_STATE',
        `the saved state is of a stream with batch size ${batchSize}: a batcher's stream has one row`,
      )
    }
    return this.#openOn('restore', { h, c })
  }

  #openOn(call: 'open' | 'restore', state: LayerBatch['state']): BatchedStream<S, I> {
    return this.#life.open(call, state, (lane) => new BatchedStream<S, I>(lane, this.#life))
  }

  /** Counts since the batcher was made, and times of late. */
  stats(): BatcherStats {
    checkThis(this, Batcher, 'batcher.stats')
    return this.#life.stats()
  }

  /**
   * Other weights from the next call on: of a layer of the same class and sizes, on any backend. Calls that were made before are finished on the
   * weights that they were made on; no step mixes two, and none is lost. The layer may load others or be disposed afterwards.
   *
   * @param options `streams: 'move'` (default): all open streams take their states along. 'keep': they end on the weights that they have, and only
   * those that are opened from now on have the new ones
   * @throws RNNError `ERR_RNN_SHAPE` where sizes differ, `ERR_RNN_OPTION` for a layer of another class, `ERR_RNN_DISPOSED`; then nothing has changed
   * @example
   * const batcher = lstm.batcher()
   * batcher.replace(LSTM.fromStateDict(await loadSafetensors('retrained.safetensors')))
   */
  replace(layer: StreamingLayer<S, I>, options?: ReplaceOptions): void {
    checkThis(this, Batcher, 'batcher.replace')
    this.#life.checkLiving()
    const { streams = 'move' } = readOptions(options, replaceChecks, 'Batcher.replace')
    const { networkOf } = this.#layers
    const ref =
      networkOf(layer) ?? failOption(`layer must be an RNN, a GRU or an LSTM, got ${describe(layer)}${foreign(layer)}`)
    checkSizes(this.#life.current.memory.ref.spec, ref.spec)
    this.#life.checkLiving()
    this.#life.replace(new LayerMemory(ref, this.#limits), streams === 'move')
  }

  /** Resolves when no step waits or runs. */
  drain(): Promise<void> {
    checkThis(this, Batcher, 'batcher.drain')
    return this.#life.drain()
  }

  /**
   * From now on no stream takes a step; those that wait are finished, without waiting for others. The states of open streams can still be
   * read and saved.
   */
  close(): Promise<void> {
    checkThis(this, Batcher, 'batcher.close')
    return this.#life.end()
  }
}

const sizes = ['inputSize', 'hiddenSize', 'projSize', 'numLayers'] as const

/** Throws where streams could not go on from one network to the other, or their callers not with what it gives. */
function checkSizes(old: NetworkSpec, next: NetworkSpec): void {
  const [was, is] = [cellTraits[old.cell].className, cellTraits[next.cell].className]
  if (was !== is) failOption(`layer must be of the batcher's class. Expected ${was}, got ${is}`)
  if (next.direction !== 'forward') {
    failOption(`replace needs a unidirectional layer, and this ${is} is ${next.direction}`)
  }
  for (const name of sizes) {
    if (old[name] === next[name]) continue
    failShape(`layer must have the sizes of the batcher's. Expected ${name} ${old[name]}, got ${next[name]}`)
  }
}
