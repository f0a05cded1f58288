/** Live sequences: a state that moves one frame at a time, its arena, and its life. */
import type { StreamCore } from '../backends/interface.ts'
import { type InitialState, readState, type States } from '../calls/forward.ts'
import { LoadedNetwork } from '../calls/network-ref.ts'
import { fail, list, tuple } from '../errors.ts'
import { anything, integer, largestSize, readOptions } from '../options/options.ts'
import { checkCount, readTensor, sameShape, stillThere, Tensor, type TensorLike } from '../tensor/tensor.ts'
import { hasCellState, outputSizeOf } from '../weights/names.ts'
import { decodeState, encodeState, type StreamState } from './saved-state.ts'
import { bindStep, disposed, type Step } from './stream-step.ts'

/** Options of `layer.stream`. */
export interface StreamOptions extends InitialState {
  /** How many sequences move side by side; 1 by default. */
  batchSize?: number
}

let open: (loaded: LoadedNetwork, state: Partial<StreamState> & { batchSize: number }) => Stream

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
  readonly input: Float32Array
  /** B·O values of the newest step: the same array each time, so copy what must outlive the next step. */
  readonly output: Float32Array
  /**
   * Takes one step. Bound to its stream: `const { step } = stream` works.
   *
   * @throws RNNError `ERR_RNN_SHAPE` where the frame is no Float32Array of B·I values; `ERR_RNN_DISPOSED` after `dispose()`
   */
  readonly step: Step
  readonly #loaded: LoadedNetwork
  readonly #batchSize: number
  readonly #close: () => void
  #core: StreamCore | undefined

  private constructor(loaded: LoadedNetwork, batchSize: number) {
    if (!(loaded instanceof LoadedNetwork)) fail('ERR_RNN_OPTION', 'streams are opened by layer.stream(), not by new')
    const core = loaded.network.stream(batchSize)
    const { step, close } = bindStep(core)
    this.input = core.input
    this.output = core.output
    this.step = step
    this.#close = close
    this.#core = core
    this.#batchSize = batchSize
    this.#loaded = loaded.retain()
  }

  static {
    open = (loaded, { batchSize, h, c }) => {
      const stream = new Stream(loaded, batchSize)
      if (h || c) stream.#use().writeState(h, c)
      return stream
    }
  }

  /**
   * Takes many steps in one call.
   *
   * @param frames (T, B, I), or (T, I) where the batch size is 1
   * @returns the outputs of all steps, (T, B, O) or (T, O); `output` holds the newest
   * @throws RNNError `ERR_RNN_SHAPE`, `ERR_RNN_DISPOSED`
   */
  run(frames: TensorLike): Tensor {
    this.#use()
    const { inputSize } = this.#loaded.spec
    const B = this.#batchSize
    const x = readTensor(frames, 'frames')
    const rank = x.shape.length
    if (rank !== 3 && !(rank === 2 && B === 1)) {
      const shapes = B === 1 ? '2-D (T, I) or 3-D (T, B, I)' : `3-D (T, B, I), as the stream has batch size ${B},`
      fail('ERR_RNN_SHAPE', `Expected frames to be ${shapes} but received ${rank}-D tensor`)
    }
    const T = x.shape[0]
    const last = x.shape[rank - 1]
    if (last !== inputSize) {
      fail('ERR_RNN_SHAPE', `frames.size(-1) must be equal to input_size. Expected ${inputSize}, got ${last}`)
    }
    const expected = rank === 2 ? [T, inputSize] : [T, B, inputSize]
    if (!sameShape(x.shape, expected)) {
      fail('ERR_RNN_SHAPE', `Expected frames of shape ${tuple(expected)}, got ${list(x.shape)}`)
    }
    checkCount(T * B * outputSizeOf(this.#loaded.spec), 'the output of these frames')
    stillThere('frames', x)
    const core = this.#use()
    const O = outputSizeOf(this.#loaded.spec)
    const y = core.run(x.data, T)
    if (T > 0) core.output.set(y.subarray((T - 1) * B * O))
    return new Tensor(y, rank === 2 ? [T, O] : [T, B, O])
  }

  /**
   * The state now.
   *
   * @returns copies: hn (L, B, O), and for an LSTM cn (L, B, H)
   * @throws RNNError `ERR_RNN_DISPOSED`
   */
  state(): S {
    const { spec } = this.#loaded
    const { h, c } = this.#use().readState()
    const hn = new Tensor(h, [spec.numLayers, this.#batchSize, outputSizeOf(spec)])
    const states: States = c ? { hn, cn: new Tensor(c, [spec.numLayers, this.#batchSize, spec.hiddenSize]) } : { hn }
    return states as S
  }

  /**
   * Begins anew.
   *
   * @param state the state to begin with: h0 (L, B, O), for an LSTM c0 (L, B, H), without the B axis where the batch size is 1; what is
   * left out is zeros. A failed call leaves the state as it was.
   * @throws RNNError `ERR_RNN_OPTION`, `ERR_RNN_SHAPE`, `ERR_RNN_DISPOSED`
   */
  reset(state?: I): void {
    this.#use()
    const checks = { h0: anything, c0: anything }
    const given = readOptions(state, stateChecks(this.#loaded, checks), 'Stream.reset')
    const { h0, c0 } = readInitial(this.#loaded, given, this.#batchSize)
    this.#use().writeState(h0, c0)
  }

  /**
   * A second stream with the same state, independent from now on.
   *
   * @throws RNNError `ERR_RNN_DISPOSED`
   */
  fork(): Stream<S, I> {
    const core = this.#use()
    const twin = new Stream<S, I>(this.#loaded, this.#batchSize)
    const { h, c } = core.readState()
    twin.#use().writeState(h, c)
    twin.input.set(core.input)
    twin.output.set(core.output)
    return twin
  }

  /**
   * The state as bytes, with a fingerprint of the weights and a checksum. `layer.restoreStream` takes them back on any backend and
   * machine, for a layer of the same sizes and weights.
   *
   * @throws RNNError `ERR_RNN_DISPOSED`
   */
  save(): Uint8Array {
    return encodeState(this.#loaded, { batchSize: this.#batchSize, ...this.#use().readState() })
  }

  /** Frees the stream's state. Idempotent; a later use is `ERR_RNN_DISPOSED`. */
  dispose(): void {
    const core = this.#core
    if (!core) return
    this.#core = undefined
    this.#close()
    core.dispose()
    this.#loaded.release()
  }

  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  #use(): StreamCore {
    return this.#core ?? disposed()
  }
}

/** The checks of the states that a layer's cell has. */
export function stateChecks<C extends { c0: unknown }>({ spec }: LoadedNetwork, checks: C): C {
  if (hasCellState(spec.cell)) return checks
  const { c0: _, ...others } = checks
  return others as C
}

/** Reads the states to begin with; the arrays may be the caller's own. */
export function readInitial(
  { spec }: LoadedNetwork,
  given: { h0?: unknown; c0?: unknown },
  B: number,
): { h0?: Float32Array; c0?: Float32Array } {
  const ranks = B === 1 ? [2, 3] : [3]
  const h0 = readState(spec, 'h0', given.h0, B, ranks)
  const c0 = readState(spec, 'c0', given.c0, B, ranks)
  if (h0) stillThere('h0', h0)
  if (c0) stillThere('c0', c0)
  return { h0: h0?.data, c0: c0?.data }
}

/** Opens a stream on a network; behind `layer.stream`. `current` is asked again once the options are read. */
export function openStream(className: string, current: () => LoadedNetwork, options: unknown): Stream {
  const { spec } = current()
  const checks = stateChecks(current(), { batchSize: integer(1, largestSize), h0: anything, c0: anything })
  const given = readOptions(options, checks, `${className}.stream`)
  const batchSize = given.batchSize ?? 1
  const values = batchSize * Math.max(spec.inputSize, spec.numLayers * spec.hiddenSize)
  if (values >= 2 ** 31) {
    fail(
      'ERR_RNN_OPTION',
      `batchSize ${batchSize} is too large for these sizes: a state of ${values} values passes 2^31 − 1`,
    )
  }
  const { h0, c0 } = readInitial(current(), given, batchSize)
  return open(current(), { batchSize, h: h0, c: c0 })
}

/** Opens a stream on a saved state; behind `layer.restoreStream`. */
export function restoreStream(loaded: LoadedNetwork, bytes: unknown): Stream {
  const state = decodeState(loaded, bytes)
  const stream = open(loaded, state)
  // The top layer's state is the output of the newest step.
  stream.output.set(state.h.subarray(state.h.length - stream.output.length))
  return stream
}
