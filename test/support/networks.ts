/** Random networks and calls over the whole option space, for property tests; the one place that knows how they are drawn. */
import fc from 'fast-check'
import {
  type BackendName,
  GRU,
  LSTM,
  type PrecisionOptions,
  type Result,
  RNN,
  type Stream,
  Tensor,
  type TensorLike,
} from 'native-rnn'

/** Sizes around the widths of vectors and panels. */
const sizes = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 67]
const largeSizes = [127, 128, 129]
const batches = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 16, 17, 33]

/** One network and one call of it; everything else follows from these numbers. */
export interface Drawn {
  kind: 'RNN' | 'GRU' | 'LSTM'
  variant: boolean
  projects: boolean
  /** Functions that no fast cell has built in. */
  general: boolean
  I: number
  H: number
  P: number
  L: number
  T: number
  B: number
  bias: boolean
  bidirectional: boolean
  batchFirst: boolean
  unbatched: boolean
  states: boolean
  ragged: boolean
  seed: number
}

const size = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...sizes) },
  { weight: 1, arbitrary: fc.constantFrom(...largeSizes) },
)

export const drawn: fc.Arbitrary<Drawn> = fc.record({
  kind: fc.constantFrom('RNN', 'GRU', 'LSTM'),
  variant: fc.boolean(),
  projects: fc.boolean(),
  general: fc.constantFrom(false, false, true),
  I: size,
  H: size,
  P: fc.nat(200),
  L: fc.constantFrom(1, 1, 2, 3),
  T: fc.constantFrom(0, 1, 2, 3, 5, 8, 13, 40),
  B: fc.constantFrom(...batches),
  bias: fc.boolean(),
  bidirectional: fc.boolean(),
  batchFirst: fc.boolean(),
  unbatched: fc.constantFrom(false, false, false, true),
  states: fc.boolean(),
  ragged: fc.boolean(),
  seed: fc.nat(2 ** 31 - 1),
})

/** A layer of any class, as one type: what tests do with it is the same for all. */
export interface AnyLayer {
  forward(input: TensorLike, options?: object): Result
  stream(options?: object): Stream
  restoreStream(bytes: Uint8Array): Stream
  stateDict(): Record<string, Tensor>
  loadStateDict(dict: Record<string, Tensor>): void
}

/** The same network on any backend: weights come of the seed. */
export function layerOf(d: Drawn, backend: BackendName, threads = 1, formats: PrecisionOptions = {}): AnyLayer {
  const common = {
    numLayers: d.L,
    bias: d.bias,
    bidirectional: d.bidirectional,
    batchFirst: d.batchFirst,
    seed: d.seed,
    backend,
    threads,
    ...formats,
  }
  const clip = d.general ? 1.5 : undefined
  // Within a bound and without a step: what two engines compute stays near.
  const functions = d.general && ({ gate: 'hardSigmoid', candidate: 'elu' } as const)
  if (d.kind === 'RNN') return new RNN(d.I, d.H, { ...common, clip, nonlinearity: d.variant ? 'relu' : 'tanh' })
  if (d.kind === 'GRU')
    return new GRU(d.I, d.H, { ...common, clip, resetAfter: d.variant, ...(functions && { functions }) })
  return new LSTM(d.I, d.H, {
    ...common,
    clip,
    peepholes: d.variant,
    projSize: projSizeOf(d),
    ...(functions && { functions: { ...functions, output: 'softsign' }, inputForget: d.seed % 2 === 1 }),
  })
}

function projSizeOf(d: Drawn): number {
  return d.kind === 'LSTM' && d.projects && d.H > 1 ? 1 + (d.P % (d.H - 1)) : 0
}

export function outputSizeOf(d: Drawn): number {
  return projSizeOf(d) || d.H
}

/** A fast generator of values in −2 … 2, the same in every run. */
export function filler(seed: number): (...shape: number[]) => Tensor {
  let state = seed | 1
  const next = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state / 2 ** 30
  }
  return (...shape) => {
    const count = shape.reduce((product, length) => product * length, 1)
    return new Tensor(Float32Array.from({ length: count }, next), shape)
  }
}

/** Input and options of the call. */
export function callOf(d: Drawn): { input: Tensor; options: { h0?: Tensor; c0?: Tensor; lengths?: number[] } } {
  const fill = filler(d.seed)
  const rows = d.L * (d.bidirectional ? 2 : 1)
  const input = d.unbatched ? fill(d.T, d.I) : d.batchFirst ? fill(d.B, d.T, d.I) : fill(d.T, d.B, d.I)
  const state = (width: number) => (d.unbatched ? fill(rows, width) : fill(rows, d.B, width))
  const options: { h0?: Tensor; c0?: Tensor; lengths?: number[] } = {}
  if (d.states) options.h0 = state(outputSizeOf(d))
  if (d.states && d.kind === 'LSTM') options.c0 = state(d.H)
  if (d.ragged && !d.unbatched) options.lengths = Array.from({ length: d.B }, (_, b) => (d.seed + 7 * b) % (d.T + 1))
  return { input, options }
}

/** The tensors of a result, by name. */
export function tensorsOf(result: Result): [string, Tensor][] {
  return Object.entries(result) as [string, Tensor][]
}
