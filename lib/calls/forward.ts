/** The arguments and results of one forward pass: PyTorch's shape rules, checked once for all backends. */
import type { ForwardCall, ForwardResult, NetworkSpec } from '../backends/interface.ts'
import { describe, fail, list, tuple } from '../errors.ts'
import { anything, boolean, type Checked, readOptions } from '../options/options.ts'
import {
  checkCount,
  frozenShape,
  ownTensor,
  type ReadTensor,
  readTensor,
  sameShape,
  stillThere,
  type Tensor,
  type TensorLike,
  typedArrayName,
} from '../tensor/tensor.ts'
import { directionsOf, hasCellState, outputSizeOf } from '../weights/names.ts'

/** The states to begin with; what is left out is zeros. */
export interface InitialState {
  /** (D·L, B, O), or (D·L, O) for unbatched input. */
  h0?: TensorLike
  /** LSTM only: (D·L, B, H), or (D·L, H) for unbatched input. */
  c0?: TensorLike
}

/** Options of `forward`. */
export interface ForwardOptions extends InitialState {
  /** The true length of each batch row, 0 to T, in any order; default: T for all. */
  lengths?: readonly number[]
  /** false skips `output`, for when only the last states are wanted; default true. */
  returnOutput?: boolean
}

/** The last states: each row's after its last step. */
export interface States {
  /** (D·L, B, O), or (D·L, O) for unbatched input. */
  hn: Tensor
  /** LSTM only: (D·L, B, H), or (D·L, H) for unbatched input. */
  cn?: Tensor
}

/** What `forward` gives back. */
export interface Result extends States {
  /** The top layer's output at every step: the layout of the input, with last axis D·O. Absent with `returnOutput: false`. */
  output: Tensor
}

/** A checked call, and how its result is to be shaped. */
export interface PreparedCall {
  readonly call: ForwardCall
  readonly unbatched: boolean
}

const plainChecks = { h0: anything, lengths: anything, returnOutput: boolean } as const
const cellChecks = { ...plainChecks, c0: anything } as const
const nothing: Checked<typeof cellChecks> = {}

/** Checks all arguments of a forward pass; nothing of the caller's is read after this but the values of its arrays. */
export function prepareCall(
  className: string,
  spec: NetworkSpec,
  batchFirst: boolean,
  input: unknown,
  options: unknown,
  moreChecks?: Record<string, (value: unknown) => unknown>,
): PreparedCall {
  const checks = hasCellState(spec.cell) ? cellChecks : (plainChecks as typeof cellChecks)
  const read =
    options === undefined
      ? nothing
      : readOptions(options, moreChecks ? { ...checks, ...moreChecks } : checks, `${className}.forward`)
  const x = readTensor(input, 'input')
  const rank = x.shape.length
  if (rank !== 2 && rank !== 3) {
    fail('ERR_RNN_SHAPE', `${className}: Expected input to be 2-D or 3-D but received ${rank}-D tensor`)
  }
  const I = x.shape[rank - 1]
  if (I !== spec.inputSize) {
    fail('ERR_RNN_SHAPE', `input.size(-1) must be equal to input_size. Expected ${spec.inputSize}, got ${I}`)
  }
  const unbatched = rank === 2
  const T = unbatched || !batchFirst ? x.shape[0] : x.shape[1]
  const B = unbatched ? 1 : x.shape[batchFirst ? 0 : 1]
  const D = directionsOf(spec)
  checkCount(D * spec.numLayers * B * spec.hiddenSize, 'the states of this input')
  checkCount(T * B, 'the time steps and rows of this input')
  if (read.returnOutput ?? true) checkCount(T * B * D * outputSizeOf(spec), 'the output of this input')
  const rank0 = unbatched ? [2] : [3]
  const h0 = readState(spec, 'h0', read.h0, B, rank0)
  const c0 = readState(spec, 'c0', read.c0, B, rank0)
  const lengths = read.lengths === undefined ? undefined : readLengths(read.lengths, B, T)
  stillThere('input', x)
  if (h0) stillThere('h0', h0)
  if (c0) stillThere('c0', c0)
  const returnOutput = read.returnOutput ?? true
  const call = {
    x: x.data,
    T,
    B,
    batchFirst: batchFirst && !unbatched,
    h0: h0?.data,
    c0: c0?.data,
    lengths,
    returnOutput,
  }
  return { call, unbatched }
}

/** The result for a batch of no rows: backends only see B ≥ 1. */
export function emptyBatch(spec: NetworkSpec, { B, returnOutput }: ForwardCall): ForwardResult | undefined {
  if (B > 0) return undefined
  const none = () => new Float32Array(0)
  return { output: returnOutput ? none() : undefined, hn: none(), cn: hasCellState(spec.cell) ? none() : undefined }
}

/** Gives the arrays of a finished call their shapes. */
export function shapeResult(spec: NetworkSpec, { call, unbatched }: PreparedCall, result: ForwardResult): Result {
  const { T, B, batchFirst } = call
  const D = directionsOf(spec)
  const O = outputSizeOf(spec)
  const rows = D * spec.numLayers
  const state = (data: Float32Array, size: number) => {
    return ownTensor(data, unbatched ? frozenShape(rows, size) : frozenShape(rows, B, size))
  }
  const shaped: Partial<Result> = {}
  if (result.output) {
    const shape = unbatched ? frozenShape(T, D * O) : batchFirst ? frozenShape(B, T, D * O) : frozenShape(T, B, D * O)
    shaped.output = ownTensor(result.output, shape)
  }
  shaped.hn = state(result.hn, O)
  if (result.cn) shaped.cn = state(result.cn, spec.hiddenSize)
  return shaped as Result
}

/** Reads h0 or c0 for B rows; `ranks` says whether it may be (D·L, size), (D·L, B, size) or either. */
export function readState(
  spec: NetworkSpec,
  name: 'h0' | 'c0',
  value: unknown,
  B: number,
  ranks: readonly number[],
): ReadTensor | undefined {
  if (value === undefined) return undefined
  const state = readTensor(value, name)
  const rank = state.shape.length
  if (!ranks.includes(rank)) {
    const input = ranks.includes(3) ? 'batched 3-D' : 'unbatched 2-D'
    const hx = name === 'h0' ? 'hx' : 'cx'
    fail(
      'ERR_RNN_SHAPE',
      `For ${input} input, ${hx} should also be ${ranks.at(-1)}-D but got ${rank}-D tensor (${name})`,
    )
  }
  const rows = directionsOf(spec) * spec.numLayers
  const size = name === 'h0' ? outputSizeOf(spec) : spec.hiddenSize
  const shape = rank === 2 ? [rows, size] : [rows, B, size]
  if (!sameShape(state.shape, shape)) {
    const hidden = !hasCellState(spec.cell) ? 'hidden' : name === 'h0' ? 'hidden[0]' : 'hidden[1]'
    fail('ERR_RNN_SHAPE', `Expected ${hidden} size ${tuple(shape)}, got ${list(state.shape)} (${name})`)
  }
  return state
}

function readLengths(value: unknown, B: number, T: number): Int32Array {
  if (!Array.isArray(value) && typedArrayName(value) !== 'Int32Array') {
    fail('ERR_RNN_OPTION', `lengths must be an array of integers, got ${describe(value)}`)
  }
  const given = value as ArrayLike<unknown>
  if (given.length !== B) {
    fail(
      'ERR_RNN_SHAPE',
      `Expected \`len(lengths)\` to be equal to batch_size, but got ${given.length} (batch_size=${B})`,
    )
  }
  const lengths = new Int32Array(B)
  for (let b = 0; b < B; b++) {
    const length = given[b]
    if (!Number.isSafeInteger(length) || (length as number) < 0 || (length as number) > T) {
      fail('ERR_RNN_OPTION', `lengths[${b}] must be an integer from 0 to T = ${T}, got ${describe(length)}`)
    }
    lengths[b] = length as number
  }
  return lengths
}
