/** States that go in and come out: their types, their shapes, and the one reading of them for calls, streams and batchers. */
import { failShape, list, tuple } from '../errors.ts'
import { anything, readOptions } from '../options/checks.ts'
import { cellTraits } from '../spec/cell-traits.ts'
import { directionsOf, type NetworkSpec, outputSizeOf } from '../spec/spec.ts'
import { checkNotDetached, type ReadTensor, readTensor } from '../tensor/read.ts'
import { sameShape } from '../tensor/shape.ts'
import { Tensor, type TensorLike } from '../tensor/tensor.ts'

/** The states to begin with; what is left out is zeros. */
export interface InitialState {
  /** (D·L, B, O), or (D·L, O) for unbatched input. */
  h0?: TensorLike | undefined
  /** LSTM only: (D·L, B, H), or (D·L, H) for unbatched input. */
  c0?: TensorLike | undefined
}

/** The last states: each row's after its last step. */
export interface States {
  /** (D·L, B, O), or (D·L, O) for unbatched input. */
  hn: Tensor
  /** LSTM only: (D·L, B, H), or (D·L, H) for unbatched input. */
  cn?: Tensor
}

/** The checks of the states that a layer's cell has. */
export function stateChecks<C extends { c0: unknown }>({ cell }: NetworkSpec, checks: C): C {
  if (cellTraits[cell].hasCellState) return checks
  const { c0: _, ...others } = checks
  return others as C
}

/** Reads an options object of the states to begin with, for calls that take no other options. */
export function readStates(
  spec: NetworkSpec,
  options: unknown,
  B: number,
  where: string,
): { h0?: Float32Array; c0?: Float32Array } {
  return readInitial(spec, readOptions(options, stateChecks(spec, { h0: anything, c0: anything }), where), B)
}

/** Reads the states to begin with; the arrays may be the caller's own. */
export function readInitial(
  spec: NetworkSpec,
  given: { h0?: unknown; c0?: unknown },
  B: number,
): { h0?: Float32Array; c0?: Float32Array } {
  const ranks = B === 1 ? [2, 3] : [3]
  const h0 = readState(spec, 'h0', given.h0, B, ranks)
  const c0 = readState(spec, 'c0', given.c0, B, ranks)
  if (h0) checkNotDetached('h0', h0)
  if (c0) checkNotDetached('c0', c0)
  return { h0: h0?.data, c0: c0?.data }
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
    failShape(`For ${input} input, ${hx} should also be ${ranks.at(-1)}-D but got ${rank}-D tensor (${name})`)
  }
  const rows = directionsOf(spec) * spec.numLayers
  const size = name === 'h0' ? outputSizeOf(spec) : spec.hiddenSize
  const shape = rank === 2 ? [rows, size] : [rows, B, size]
  if (!sameShape(state.shape, shape)) {
    const hidden = !cellTraits[spec.cell].hasCellState ? 'hidden' : name === 'h0' ? 'hidden[0]' : 'hidden[1]'
    failShape(`Expected ${hidden} size ${tuple(shape)}, got ${list(state.shape)} (${name})`)
  }
  return state
}

/** The states of B sequences in one direction as tensors, which take over the arrays given. */
export function shapeStates(spec: NetworkSpec, B: number, { h, c }: { h: Float32Array; c?: Float32Array }): States {
  const hn = new Tensor(h, [spec.numLayers, B, outputSizeOf(spec)])
  return c ? { hn, cn: new Tensor(c, [spec.numLayers, B, spec.hiddenSize]) } : { hn }
}
