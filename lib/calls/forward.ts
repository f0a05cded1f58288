/** The arguments and results of one forward pass: PyTorch's shape rules, checked once for all backends. */
import type { ForwardCall, ForwardResult } from '../backends/interface.ts'
import { failShape } from '../errors.ts'
import { zeros } from '../intrinsics/captured.ts'
import { anything, boolean, type Checked, readOptions } from '../options/checks.ts'
import { cellTraits } from '../spec/cell-traits.ts'
import { directionsOf, type NetworkSpec, outputSizeOf } from '../spec/spec.ts'
import type { Integers } from '../tensor/integers.ts'
import { checkNotDetached, readTensor } from '../tensor/read.ts'
import { checkCount, frozenShape } from '../tensor/shape.ts'
import { ownTensor, type Tensor } from '../tensor/tensor.ts'
import { readLengths } from './lengths.ts'
import { checkOut, checkOutLengths, type ForwardOut, type OutTensors, type ResultShapes, readOut } from './out.ts'
import { type InitialState, readState, type States } from './states.ts'

/** Options of `forward`. */
export interface ForwardOptions extends InitialState {
  /** The true length of each batch row, 0 to T, in any order: any array of integers, or an integer tensor of one axis; default: T for all. */
  lengths?: Integers
  /** false skips `output`, for when only the last states are wanted; default true. */
  returnOutput?: boolean
  /**
   * Tensors of the results' shapes, which are written into and come back in the result: no memory is made for them. They must share no
   * memory with each other or with the inputs, but `out.hn` may be all of `h0`, and `out.cn` of `c0`. `forwardAsync` writes into them when
   * the call has ended, right before its promise resolves. A call that fails or is aborted leaves them as they were.
   */
  out?: ForwardOut
}

/** What `forward` gives back. */
export interface Result extends States {
  /** The top layer's output at every step: the layout of the input, with last axis D·O. Absent with `returnOutput: false`. */
  output: Tensor
}

/** A checked call, and how its result is to be shaped. */
export interface PreparedCall {
  readonly call: ForwardCall
  readonly shapes: ResultShapes
  readonly out?: OutTensors
}

const plainChecks = { h0: anything, lengths: anything, returnOutput: boolean, out: anything } as const
const cellChecks = { ...plainChecks, c0: anything } as const
// All names are its own, so that none is looked for further up.
const noOptions: Checked<typeof cellChecks> = {
  h0: undefined,
  lengths: undefined,
  returnOutput: undefined,
  out: undefined,
  c0: undefined,
}

/** Checks all arguments of a forward pass; nothing of the caller's is read after this but the values of its arrays. */
export function prepareCall(
  className: string,
  spec: NetworkSpec,
  batchFirst: boolean,
  input: unknown,
  options: unknown,
  moreChecks?: Record<string, (value: unknown) => unknown>,
): PreparedCall {
  const checks = cellTraits[spec.cell].hasCellState ? cellChecks : (plainChecks as typeof cellChecks)
  const read =
    options === undefined
      ? noOptions
      : readOptions(options, moreChecks ? { ...checks, ...moreChecks } : checks, `${className}.forward`)
  const x = readTensor(input, 'input')
  const rank = x.shape.length
  if (rank !== 2 && rank !== 3) {
    failShape(`${className}: Expected input to be 2-D or 3-D but received ${rank}-D tensor`)
  }
  const I = x.shape[rank - 1]
  if (I !== spec.inputSize) {
    failShape(`input.size(-1) must be equal to input_size. Expected ${spec.inputSize}, got ${I}`)
  }
  const unbatched = rank === 2
  const T = unbatched || !batchFirst ? x.shape[0] : x.shape[1]
  const B = unbatched ? 1 : x.shape[batchFirst ? 0 : 1]
  const D = directionsOf(spec)
  checkCount(D * spec.numLayers * B * spec.hiddenSize, 'the states of this input')
  checkCount(T * B, 'the time steps and rows of this input')
  const { returnOutput = true } = read
  if (returnOutput) checkCount(T * B * D * outputSizeOf(spec), 'the output of this input')
  const stateRanks = unbatched ? [2] : [3]
  const h0 = readState(spec, 'h0', read.h0, B, stateRanks)
  const c0 = readState(spec, 'c0', read.c0, B, stateRanks)
  const sizes = { T, B, batchFirst: batchFirst && !unbatched, returnOutput }
  const shapes = shapesOf(spec, sizes, unbatched)
  const out = read.out === undefined ? undefined : readOut(read.out, shapes)
  const lengths = read.lengths === undefined ? undefined : readLengths(read.lengths, B, T)
  checkNotDetached('input', x)
  if (h0) checkNotDetached('h0', h0)
  if (c0) checkNotDetached('c0', c0)
  if (out) checkOut(out, { x, h0, c0 })
  const call = {
    x: x.data,
    T,
    B,
    batchFirst: sizes.batchFirst,
    h0: h0?.data,
    c0: c0?.data,
    lengths,
    returnOutput,
    into: out && { output: out.output?.data, hn: out.hn?.data, cn: out.cn?.data },
  }
  return { call, shapes, out }
}

/** Throws where arrays of a checked call are not as long as they were: what ran since may have detached or shrunk them. */
export function checkLengths(spec: NetworkSpec, { call, out }: PreparedCall): void {
  const { x, h0, c0, T, B } = call
  const states = directionsOf(spec) * spec.numLayers * B
  checkNotDetached('input', { data: x, shape: [T, B, spec.inputSize] })
  if (h0) checkNotDetached('h0', { data: h0, shape: [states, outputSizeOf(spec)] })
  if (c0) checkNotDetached('c0', { data: c0, shape: [states, spec.hiddenSize] })
  if (out) checkOutLengths(out)
}

type Sizes = Pick<ForwardCall, 'T' | 'B' | 'batchFirst' | 'returnOutput'>

/** The shapes of the results that a call has. */
function shapesOf(spec: NetworkSpec, { T, B, batchFirst, returnOutput }: Sizes, unbatched: boolean): ResultShapes {
  const D = directionsOf(spec)
  const O = outputSizeOf(spec)
  const states = D * spec.numLayers
  return {
    output: returnOutput ? shapeOf(batchFirst ? B : T, batchFirst ? T : B, D * O, unbatched) : undefined,
    hn: shapeOf(states, B, O, unbatched),
    cn: cellTraits[spec.cell].hasCellState ? shapeOf(states, B, spec.hiddenSize, unbatched) : undefined,
  }
}

function shapeOf(first: number, second: number, size: number, unbatched: boolean): readonly number[] {
  return unbatched ? frozenShape(first, size) : frozenShape(first, second, size)
}

/** The result for a batch of no rows: backends only see B ≥ 1. */
export function emptyBatch(spec: NetworkSpec, { B, returnOutput }: ForwardCall): ForwardResult | undefined {
  if (B > 0) return undefined
  const none = () => zeros(0)
  return {
    output: returnOutput ? none() : undefined,
    hn: none(),
    cn: cellTraits[spec.cell].hasCellState ? none() : undefined,
  }
}

/** Gives the arrays of a finished call their shapes. */
export function shapeResult({ shapes, out }: PreparedCall, result: ForwardResult): Result {
  const hn = out?.hn?.tensor ?? ownTensor(result.hn, shapes.hn)
  const cn = result.cn && (out?.cn?.tensor ?? ownTensor(result.cn, shapes.cn!))
  if (!result.output) return (cn ? { hn, cn } : { hn }) as Result
  const output = out?.output?.tensor ?? ownTensor(result.output, shapes.output!)
  return cn ? { output, hn, cn } : { output, hn }
}
