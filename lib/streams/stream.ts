/** Live sequences: a state that moves one frame at a time, its arena, and its life. */
import type { StreamCore } from '../backends/interface.ts'
import { NetworkRef } from '../calls/network-ref.ts'
import { type InitialState, readInitial, readStates, type States, shapeStates, stateChecks } from '../calls/states.ts'
import { checkThis, failOption } from '../errors.ts'
import { defineProperty, setValues, viewOf } from '../intrinsics/captured.ts'
import { ensureStack } from '../intrinsics/stack.ts'
import { trueLength } from '../intrinsics/typed-arrays.ts'
import { anything, integer, largestSize, readOptions } from '../options/checks.ts'
import { outputSizeOf } from '../spec/spec.ts'
import { Tensor, type TensorLike } from '../tensor/tensor.ts'
import { readFrames } from './frames.ts'
import { decodeState, encodeState, type StreamState } from './saved-state.ts'
import { bindStep, disposed, type Step } from './stream-step.ts'

/** Options of `layer.stream`. */
export interface StreamOptions extends InitialState {
  /** How many sequences move side by side; 1 by default. */
  batchSize?: number
}

/** A state to begin with; what is left out is zeros. */
type InitialStreamState = Partial<StreamState> & Pick<StreamState, 'batchSize'>

/**
 * A live sequence (or B of them side by side) with a state of its own. A stream gives the same bits as `forward` over the whole sequence,
 * however it is cut. It keeps the weights it was opened with, also when its layer loads others or is disposed.
 *
 * Streams are opened by `layer.stream()`, `layer.restoreStream()` and `stream.fork()`.
 *
 * @example
 * const stream = lstm.stream()
 * stream.input.set(frame)
 * stream.step()
 * console.log(stream.output)
 */
export class Stream<S extends States = States, I extends InitialState = InitialState> {
  /** B·I values: write the next frame here. The same array for the stream's whole life, over shared memory. */
  readonly input!: Float32Array
  /** B·O values of the newest step: the same array each time, so copy what must outlive the next step. */
  readonly output!: Float32Array
  /**
   * Takes one step. Bound to its stream: `const { step } = stream` works.
   *
   * @throws RNNError `ERR_RNN_SHAPE` where the frame is no Float32Array of B·I values; `ERR_RNN_DISPOSED` after `dispose()`
   */
  readonly step: Step
  readonly #ref: NetworkRef
  readonly #batchSize: number
  readonly #close: () => void
  #core: StreamCore | undefined

  private constructor(ref: NetworkRef, state: InitialStreamState) {
    if (!(ref instanceof NetworkRef)) failOption('streams are opened by layer.stream(), not by new')
    const { batchSize, h, c } = state
    const core = ref.network.stream(batchSize)
    const { step, close } = bindStep(core)
    fix(this, 'input', core.input)
    fix(this, 'output', core.output)
    this.step = step
    this.#close = close
    this.#core = core
    this.#batchSize = batchSize
    this.#ref = ref.retain()
    if (h || c) core.writeState(h, c)
  }

  /**
   * Takes many steps in one call.
   *
   * @param frames (T, B, I), or (T, I) where the batch size is 1
   * @returns the outputs of all steps, (T, B, O) or (T, O); `output` holds the newest
   * @throws RNNError `ERR_RNN_SHAPE`, `ERR_RNN_DISPOSED`
   */
  run(frames: TensorLike): Tensor {
    checkThis(this, Stream, 'stream.run')
    this.#use()
    const B = this.#batchSize
    const x = readFrames(this.#ref.spec, frames, B)
    const T = x.shape[0]
    const core = this.#use()
    const O = outputSizeOf(this.#ref.spec)
    const y = core.run(x.data, T)
    if (T > 0) setValues(core.output, viewOf(y, (T - 1) * B * O, B * O))
    return new Tensor(y, x.shape.length === 2 ? [T, O] : [T, B, O])
  }

  /**
   * The state now.
   *
   * @returns copies: hn (L, B, O), and for an LSTM cn (L, B, H)
   * @throws RNNError `ERR_RNN_DISPOSED`
   */
  state(): S {
    checkThis(this, Stream, 'stream.state')
    return shapeStates(this.#ref.spec, this.#batchSize, this.#use().readState()) as S
  }

  /**
   * Begins anew.
   *
   * @param state the state to begin with: h0 (L, B, O), for an LSTM c0 (L, B, H), without the B axis where the batch size is 1; what is
   * left out is zeros. A failed call leaves the state as it was.
   * @throws RNNError `ERR_RNN_OPTION`, `ERR_RNN_SHAPE`, `ERR_RNN_DISPOSED`
   */
  reset(state?: I): void {
    checkThis(this, Stream, 'stream.reset')
    this.#use()
    const { h0, c0 } = readStates(this.#ref.spec, state, this.#batchSize, 'Stream.reset')
    this.#use().writeState(h0, c0)
  }

  /**
   * A second stream with the same state, independent from now on.
   *
   * @throws RNNError `ERR_RNN_DISPOSED`
   */
  fork(): Stream<S, I> {
    checkThis(this, Stream, 'stream.fork')
    const core = this.#use()
    const twin = new Stream<S, I>(this.#ref, { batchSize: this.#batchSize, ...core.readState() })
    setValues(twin.input, core.input)
    setValues(twin.output, core.output)
    return twin
  }

  /**
   * The state as bytes, with a fingerprint of the weights and a checksum. `layer.restoreStream` takes them back on any backend and
   * machine, for a layer of the same sizes and weights.
   *
   * @throws RNNError `ERR_RNN_DISPOSED`
   */
  save(): Uint8Array {
    checkThis(this, Stream, 'stream.save')
    return encodeState(this.#ref, { batchSize: this.#batchSize, ...this.#use().readState() })
  }

  /** Frees the stream's state. Idempotent; a later use is `ERR_RNN_DISPOSED`. */
  dispose(): void {
    checkThis(this, Stream, 'stream.dispose')
    const core = this.#core
    if (!core) return
    ensureStack()
    this.#core = undefined
    this.#close()
    core.dispose()
    this.#ref.release()
  }

  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  #use(): StreamCore {
    return this.#core ?? disposed()
  }
}

/** Assigning to such a property would be no error, and compute on the old frame. */
function fix(stream: Stream, name: 'input' | 'output', value: Float32Array): void {
  defineProperty(stream, name, { __proto__: null, value, enumerable: true, writable: false } as PropertyDescriptor)
}

/** The constructor is private, so that no public type shows what it takes. */
const open = (ref: NetworkRef, state: InitialStreamState): Stream =>
  new (Stream as unknown as new (ref: NetworkRef, state: InitialStreamState) => Stream)(ref, state)

/** Opens a stream on a network; behind `layer.stream`. `current` is asked again once the options are read. */
export function openStream(className: string, current: () => NetworkRef, options: unknown): Stream {
  const { spec } = current()
  const checks = stateChecks(spec, { batchSize: integer(1, largestSize), h0: anything, c0: anything })
  const given = readOptions(options, checks, `${className}.stream`)
  const batchSize = given.batchSize ?? 1
  const values = batchSize * Math.max(spec.inputSize, spec.numLayers * spec.hiddenSize)
  if (values >= 2 ** 31) {
    failOption(`batchSize ${batchSize} is too large for these sizes: a state of ${values} values passes 2^31 − 1`)
  }
  const { h0, c0 } = readInitial(current().spec, given, batchSize)
  return open(current(), { batchSize, h: h0, c: c0 })
}

/** Opens a stream on a saved state; behind `layer.restoreStream`. */
export function restoreStream(ref: NetworkRef, bytes: unknown): Stream {
  const state = decodeState(ref, bytes)
  const stream = open(ref, state)
  // The top layer's state is the output of the newest step.
  const count = trueLength(stream.output)
  setValues(stream.output, viewOf(state.h, trueLength(state.h) - count, count))
  return stream
}
