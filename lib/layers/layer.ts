/** What RNN, GRU and LSTM share: their sizes, calls, streams and batchers. */

import type { ForwardOptions, Result } from '../calls/forward.ts'
import { runAsync } from '../calls/forward-async.ts'
import { runForward } from '../calls/forward-sync.ts'
import type { NetworkRef } from '../calls/network-ref.ts'
import type { ForwardOut } from '../calls/out.ts'
import { type SharedLayer, shareLayer } from '../calls/shared-layer.ts'
import type { InitialState, States } from '../calls/states.ts'
import { checkThis, failOption } from '../errors.ts'
import { rejected } from '../intrinsics/stack.ts'
import type { BackendName } from '../spec/spec.ts'
import type { BatchedStream } from '../streams/batch/batched-stream.ts'
import { Batcher } from '../streams/batch/batcher.ts'
import type { BatcherOptions } from '../streams/batch/options.ts'
import { openStream, restoreStream, type Stream, type StreamOptions } from '../streams/stream.ts'
import type { TensorLike } from '../tensor/tensor.ts'
import { type LayerClass, type LayerParts, partsFromSizes } from './construct.ts'
import { finished, Module, partsOf } from './module.ts'

/** The types in which one class differs from another: only an LSTM has a cell state. */
export interface LayerTypes {
  states: States
  initial: InitialState
  result: Result
  forward: ForwardOptions
  stream: StreamOptions
}

/** The types of layers without a cell state. */
export interface HiddenTypes {
  states: Omit<States, 'cn'>
  initial: Omit<InitialState, 'c0'>
  result: Omit<Result, 'cn'>
  forward: Omit<ForwardOptions, 'c0' | 'out'> & { out?: Omit<ForwardOut, 'cn'> }
  stream: Omit<StreamOptions, 'c0'>
}

/** The types of a layer with a cell state. */
export interface CellStateTypes {
  states: Required<States>
  initial: InitialState
  result: Required<Result>
  forward: ForwardOptions
  stream: StreamOptions
}

/** The base class of {@link RNN}, {@link GRU} and {@link LSTM}; it is not made by itself. */
export abstract class Layer<Types extends LayerTypes = LayerTypes> extends Module<LayerParts> {
  /** I: values of one input frame. */
  readonly inputSize: number
  /** H: units of one layer in one direction. */
  readonly hiddenSize: number
  /** L: layers on top of each other. */
  readonly numLayers: number
  /** Whether a second direction runs backward in time. */
  readonly bidirectional: boolean
  /** Whether batched input and output are (B, T, …). */
  readonly batchFirst: boolean
  /** Whether the gates have biases. */
  readonly bias: boolean
  /** The backend that computes. */
  readonly backend: BackendName
  readonly #className: LayerClass['name']

  protected constructor(layerClass: LayerClass, inputSize: number, hiddenSize: number, options: unknown) {
    const parts = finished<LayerParts>(inputSize) ?? partsFromSizes(layerClass, inputSize, hiddenSize, options)
    super(layerClass.name, parts)
    const { spec, backend } = parts.ref
    this.inputSize = spec.inputSize
    this.hiddenSize = spec.hiddenSize
    this.numLayers = spec.numLayers
    this.bidirectional = spec.direction === 'bidirectional'
    this.batchFirst = parts.batchFirst
    this.bias = spec.bias
    this.backend = backend.name
    this.#className = layerClass.name
  }

  /**
   * Runs whole sequences.
   *
   * @param input (T, B, I), or (B, T, I) with `batchFirst`, or (T, I) unbatched; T may be 0
   * @param options initial states, lengths of the rows, whether `output` is wanted
   * @returns `output` in the input's layout with last axis D·O, and the last states: `hn` (D·L, B, O), for an LSTM `cn` (D·L, B, H);
   * without the B axis for unbatched input. Rows of `output` past a row's length are 0.
   * @throws RNNError `ERR_RNN_SHAPE`, `ERR_RNN_OPTION`, `ERR_RNN_DISPOSED`
   * @example
   * const { output, hn } = new RNN(3, 4, { batchFirst: true }).forward([[[1, 2, 3], [3, 4, 5], [5, 6, 7]]])
   * output.shape // [1, 3, 4]
   */
  forward(input: TensorLike, options?: Types['forward']): Types['result'] {
    checkThis(this, Layer, 'layer.forward')
    return runForward(this.#className, this.batchFirst, () => this.#use(), input, options)
  }

  /**
   * Runs whole sequences beside the JavaScript thread: `forward`'s numbers, to the bit, with the event loop free meanwhile. The inputs are
   * copied before it returns. The layer may load other weights or be disposed while it runs.
   *
   * @param input as for `forward`
   * @param options as for `forward`, and a `signal`: a call that waits is dropped, one that runs stops at a time step
   * @returns what `forward` gives
   * @throws (rejects) RNNError `ERR_RNN_SHAPE`, `ERR_RNN_OPTION`, `ERR_RNN_DISPOSED`; `signal.reason` when aborted
   * @example
   * const { hn } = await gru.forwardAsync(input, { signal: AbortSignal.timeout(1000) })
   */
  forwardAsync(input: TensorLike, options?: Types['forward'] & { signal?: AbortSignal }): Promise<Types['result']> {
    try {
      checkThis(this, Layer, 'layer.forwardAsync')
      return runAsync(this.#className, this.batchFirst, () => this.#use(), input, options)
    } catch (error) {
      return rejected(error)
    }
  }

  /**
   * Opens a live sequence on the layer's weights.
   *
   * @param options how many sequences side by side, and the states to begin with
   * @throws RNNError `ERR_RNN_OPTION` on a bidirectional layer, `ERR_RNN_SHAPE`, `ERR_RNN_DISPOSED`
   * @example
   * const stream = gru.stream()
   * for (const frame of frames) console.log(stream.step(frame))
   */
  stream(options?: Types['stream']): Stream<Types['states'], Types['initial']> {
    checkThis(this, Layer, 'layer.stream')
    this.#onlyForward('stream')
    return openStream(this.#className, () => this.#use(), options) as Stream<Types['states'], Types['initial']>
  }

  /**
   * Opens a stream on a state that `stream.save()` gave, on any backend and machine.
   *
   * @throws RNNError `ERR_RNN_STATE` for bytes that are damaged or of other weights; `ERR_RNN_OPTION` on a bidirectional layer,
   * `ERR_RNN_DISPOSED`
   */
  restoreStream(bytes: Uint8Array): Stream<Types['states'], Types['initial']> {
    checkThis(this, Layer, 'layer.restoreStream')
    this.#onlyForward('restoreStream')
    return restoreStream(this.#use(), bytes) as Stream<Types['states'], Types['initial']>
  }

  /**
   * Makes a batcher: many live streams on the layer's weights, whose steps run in batches beside the JavaScript thread.
   *
   * @param options how many steps run together, how long one may wait for others, how many may wait; how many streams there may be, and how long
   * without a step
   * @throws RNNError `ERR_RNN_OPTION`, also on a bidirectional layer; `ERR_RNN_DISPOSED`
   */
  batcher(
    options?: BatcherOptions<BatchedStream<Types['states'], Types['initial']>>,
  ): Batcher<Types['states'], Types['initial']> {
    checkThis(this, Layer, 'layer.batcher')
    this.#onlyForward('batcher')
    return new Batcher(this.#className, { current: () => this.#use(), networkOf }, options)
  }

  /**
   * A handle that postMessage can carry: `fromShared` of the same class opens the layer in any thread of the process. The weights are
   * not copied, and live as long as any thread has a layer, a stream or a handle on them.
   *
   * @throws RNNError `ERR_RNN_DISPOSED`
   * @example
   * worker.postMessage(lstm.share()) // there: parentPort.once('message', (handle) => LSTM.fromShared(handle))
   */
  share(): SharedLayer {
    checkThis(this, Layer, 'layer.share')
    return shareLayer(this.#className, this.batchFirst, this.#use())
  }

  #use(): NetworkRef {
    return partsOf(this).ref
  }

  #onlyForward(method: string): void {
    const { direction } = this.#use().spec
    if (direction === 'forward') return
    const why = 'its backward direction begins at the end of the sequence, which a live stream has not seen'
    failOption(
      `${method} needs a unidirectional layer, and this ${this.#className} is ${direction}: ${why}; use forward`,
    )
  }
}

/** The network of a layer of any class; undefined for what is none. */
function networkOf(layer: unknown): NetworkRef | undefined {
  return layer instanceof Layer ? partsOf(layer as Layer).ref : undefined
}
