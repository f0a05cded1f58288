/** Convolutions, and what they have in common with their transpose: channels lie last in memory, and a value along one axis of space has a single row. */

import { transposedAxes } from '../../graph/operators/convolve.ts'
import { type Axis, kernelOf, spatialOf, windowsOf } from '../../graph/operators/window.ts'
import { scalesOfOutputs } from '../../graph/scales.ts'
import type { GraphTensor } from '../../graph/tensor.ts'
import { KeptMatrix } from '../../precision/kept.ts'
import { setScales } from '../../precision/scales.ts'
import { precisionNumbers } from '../packing.ts'
import { type Epilogue, epilogueOf, nothingAfter, perOutput } from './fuse.ts'
import type { Op } from './op.ts'
import { finished, folded, isWhole, partOf, unpacked } from './products.ts'
import type { Row, Rows } from './row.ts'
import { areOfOneChannel, symmetryOf } from './symmetry.ts'
import { permuted, reshaped, sliced, type View, valuesIn } from './views.ts'
import { digest } from './weights.ts'
import { notEmpty, planeOf, trimmed, windowsIn, withPadding } from './windows.ts'

/** What a convolution and its transpose have alike; `rows` and `columns` with the padding before them. */
export interface Layout {
  /** (B, H, W, C), C the fastest. */
  readonly x: View
  /** (…, …, kh, kw) */
  readonly w: View
  readonly rows: Axis
  readonly columns: Axis
  readonly groups: number
}

/** (B, C, W) or (B, C, H, W) as (B, H, W, C). */
export const channelsLast = (view: View): View => {
  const [B, C, ...space] = view.shape
  return permuted(reshaped(view, [B, C, ...(space.length === 1 ? [1] : []), ...space])!, [0, 2, 3, 1])
}

/** The same with C the fastest in memory. */
export const channelsFastest = (op: Op, view: View): View => {
  const x = channelsLast(view)
  if (x.shape[3] === 1) return { ...x, strides: x.strides.with(3, 1) }
  return x.strides[3] === 1 ? x : op.dense(x)
}

/** (B, H, W, C) as what it is in ONNX. */
export function channelsSecond(view: View, rank: number): View {
  const [B, H, W, C] = view.shape
  const made = permuted(view, [0, 3, 1, 2])
  return rank === 4 ? made : reshaped(made, [B, C, H * W])!
}

export function layoutOf(op: Op, isTransposed: boolean): Layout {
  const { call } = op
  const padded = op.to.padded.get(op.step.inputs[0])
  const [w, { shape }] = [op.view(1), call.input(0)]
  const kernel = kernelOf(call, shape.length - 2, w.shape.slice(2))
  const axes = (isTransposed ? transposedAxes : windowsOf)(call, spatialOf(call, shape), kernel)
  const more = axes.map((_, i) => padded?.pads.before[2 + i] ?? 0)
  const [rows, columns] = planeOf(
    op,
    axes.map((axis, i) => ({ ...axis, before: axis.before + more[i] })),
  )
  const wide = w.shape.length === 4 ? w : reshaped(w, [w.shape[0], w.shape[1], 1, w.shape[2]])!
  return {
    x: notEmpty(op, channelsFastest(op, padded?.view ?? op.view(0)), 0),
    w: wide,
    // What a transposed one has as many of as inputs.
    rows: isTransposed ? { ...rows, output: Math.max(1, rows.output) } : rows,
    columns: isTransposed ? { ...columns, output: Math.max(1, columns.output) } : columns,
    groups: call.integer('group', 1),
  }
}

export const windowNumbers = (rows: Axis, columns: Axis): number[] =>
  (['kernel', 'stride', 'dilation', 'before'] as const).flatMap((name) => [rows[name], columns[name]])

/** The bias as N numbers, what follows, and whether a bias of the run has to be added in between. */
export function biasOf(op: Op, N: number): { bias?: number[]; later?: View; epilogue: Epilogue } {
  const known = op.constant(2)
  const later = known ? undefined : op.optional(2)
  const isKnown = op.constant(1) !== undefined && later === undefined
  const epilogue = isKnown ? epilogueOf(op, 1, N) : nothingAfter(op, N)
  return { bias: known && perOutput(known, 1, 0, N), later, epilogue }
}

export function withBias(op: Op, made: View, later: View | undefined): View {
  const [, C, ...space] = made.shape
  return later ? op.zip('add', made, op.reshape(later, [C, ...space.map(() => 1)])) : made
}

/** The most taps of a depthwise convolution whose sums of int8 are exact in a float. */
const mostInt8Taps = 1024

const isFloat = (op: Op): boolean => op.to.weights.precision.activations === 'f32'

const conv: Row = (op) => {
  const { shape } = op.result()
  const layout = layoutOf(op, false)
  const { x, rows, columns, groups } = layout
  const constant = op.constant(1)
  const O = shape[1]
  const { bias, later, epilogue } = biasOf(op, O)
  const y = op.make('float32', [x.shape[0], rows.output, columns.output, O])
  const isDepthwise = groups > 1 && groups === x.shape[3] && groups === O
  if (constant === undefined) convOfRun(op, layout, y)
  else if (isDepthwise && (isFloat(op) || rows.kernel * columns.kernel <= mostInt8Taps)) {
    depthwise(op, layout, y, bias, epilogue)
  } else if (!convOfSymmetric(op, layout, constant, y, bias, epilogue)) {
    convOfConstant(op, layout, constant, y, bias, epilogue)
  }
  const made = channelsSecond(y, shape.length)
  if (constant !== undefined && later === undefined) return finished(op, epilogue, made)
  return withBias(op, made, later ?? (bias && op.view(2)))
}

/** What packs the filters of outputs from one on: K weights each, in a view that is made where they are not packed yet. */
function matrixOf(op: Op, constant: GraphTensor, kind: string, bias: readonly number[] | undefined, all: Epilogue) {
  const key = `${kind} ${digest(all.scale, all.shift, bias && Float64Array.from(bias))}`
  return (from: number, N: number, K: number, weights: () => View): number => {
    const make = () => {
      const own = reshaped(op.dense(weights()), [N, K])!
      return folded(own, partOf(all, from, N), 1, bias?.slice(from, from + N))
    }
    return op.to.weights.dense(constant, `${key} ${from}`, K, N, make, op.to.weights.precision, from)
  }
}

/** Two packed matrices, of filters that are symmetric, where all are so: false where they are not. */
function convOfSymmetric(
  op: Op,
  { x, w, rows, columns, groups }: Layout,
  constant: GraphTensor,
  y: View,
  bias: readonly number[] | undefined,
  epilogue: Epilogue,
): boolean {
  const { kernel } = columns
  const mayBe = groups === 1 && isFloat(op) && areOfOneChannel(rows, columns, x.shape)
  const symmetry = mayBe && symmetryOf(valuesIn(w) as Float32Array, kernel)
  if (!symmetry) return false
  const { first, kept, even } = symmetry
  const matrix = matrixOf(op, constant, `symmetric ${kernel}`, bias, epilogue)
  const taps = sliced(w, 3, 0, kept)
  const N = y.shape[3]
  const memories = [
    [0, even],
    [even, N - even],
  ].map(([from, outputs]) => outputs && matrix(from, outputs, kept, () => sliced(taps, 0, from, outputs)))
  const numbers = [even, N - even, first, ...windowNumbers(rows, { ...columns, before: 0 }), ...epilogue.after]
  // A stream's windows are never padded, and have the same bits.
  const padded = withPadding(op, x, rows, columns, 0)
  const along = padded.strides[2] === 1 ? padded : op.dense(padded)
  op.emit(
    'symmetricConv',
    [memories[even ? 0 : 1], ...precisionNumbers(op.to.weights.precision), ...numbers, along],
    [y],
  )
  return true
}

/** A packed matrix for each group; its inputs are in the order (kh, kw, c). */
function convOfConstant(
  op: Op,
  { x, w: whole, rows: down, columns: right, groups }: Layout,
  constant: GraphTensor,
  y: View,
  bias: readonly number[] | undefined,
  epilogue: Epilogue,
): void {
  // Scales of int8 are those of all taps; two sums that take turns take the same turns.
  const mayTrim = op.to.weights.precision.weights !== 'int8' && (x.shape[3] / groups) % 2 === 0
  const [{ axis: rows, from: top }, { axis: columns, from: left }] = [down, right].map((axis) =>
    mayTrim ? trimmed(axis) : { axis, from: 0 },
  )
  const w = sliced(sliced(whole, 2, top, rows.kernel), 3, left, columns.kernel)
  const N = y.shape[3] / groups
  const K = rows.kernel * columns.kernel * (x.shape[3] / groups)
  const matrix = matrixOf(op, constant, `conv ${groups} ${top} ${left} ${columns.kernel}`, bias, epilogue)
  const memories = Array.from({ length: groups }, (_, g) =>
    matrix(g * N, N, K, () => permuted(sliced(w, 0, g * N, N), [0, 2, 3, 1])),
  )
  const kept = precisionNumbers(op.to.weights.precision)
  const numbers = [memories[0], ...kept, groups, K, N, ...windowNumbers(rows, columns), ...epilogue.after, isWhole(N)]
  op.emit('conv', [...numbers, x], [y])
}

function depthwise(
  op: Op,
  { x, w, rows, columns }: Layout,
  y: View,
  bias: readonly number[] | undefined,
  epilogue: Epilogue,
): void {
  const C = x.shape[3]
  const K = rows.kernel * columns.kernel
  const made = folded(reshaped(w, [C, K])!, epilogue, 1, bias)
  setScales(made.weight, scalesOfOutputs(op.constant(1)!, C))
  // Rounded as they are, and kept widened: there are few.
  const kept = KeptMatrix.of(op.to.weights.precision.weights, made.weight, C, K)
  const scales = isFloat(op) ? undefined : op.floats(kept.scales(), [C])
  const weight = permuted(
    op.floats(scales ? kept.integers() : kept.plain(), [C, rows.kernel, columns.kernel]),
    [1, 2, 0],
  )
  const numbers = [...windowNumbers(rows, columns), ...epilogue.after]
  op.emit('depthwise', [...numbers, x, op.dense(weight), op.floats(made.bias!, [C]), scales], [y])
}

/** Weights that are known only in the run: windows side by side times a matrix, for each group. */
function convOfRun(op: Op, { x, w, rows, columns, groups }: Layout, y: View): void {
  const [B, Ho, Wo, O] = y.shape
  const [N, inputs] = [O / groups, x.shape[3] / groups]
  const K = rows.kernel * columns.kernel * inputs
  const windows = windowsIn(op, x, rows, columns, 0)
  for (let g = 0; g < groups; g++) {
    const a = op.reshape(sliced(windows, 5, g * inputs, inputs), [B * Ho * Wo, K])
    const b = op.reshape(permuted(sliced(w, 0, g * N, N), [2, 3, 1, 0]), [K, N])
    op.emit('copy', [op.reshape(unpacked(op, a, b, 1), [B, Ho, Wo, N])], [sliced(y, 3, g * N, N)])
  }
}

export const convolutions: Rows = { Conv: conv }
