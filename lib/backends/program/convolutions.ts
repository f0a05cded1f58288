/** Convolutions, and what they have in common with their transpose: channels lie last in memory, and a value along one axis of space has a single row. */

import { transposedAxes } from '../../graph/operators/convolve.ts'
import { type Axis, kernelOf, spatialOf, windowsOf } from '../../graph/operators/window.ts'
import { scalesOfOutputs } from '../../graph/scales.ts'
import type { GraphTensor } from '../../graph/tensor.ts'
import { KeptMatrix } from '../../precision/kept.ts'
import { setScales } from '../../precision/scales.ts'
import { precisionNumbers } from '../packing.ts'
import { type Epilogue, epilogueOf, nothingAfter, perOutput, withBiases } from './fuse.ts'
import type { Op } from './op.ts'
import { finished, folded, isWhole, matrixOf, unpacked } from './products.ts'
import type { Row, Rows } from './row.ts'
import { areOfOneChannel, symmetryOf } from './symmetry.ts'
import { permuted, reshaped, sliced, type View, valuesIn } from './views.ts'
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
  // What a transposed one has as many of as inputs.
  const [rows, columns] = planeOf(
    op,
    axes.map((axis, i) => ({ ...axis, before: axis.before + more[i] })),
  ).map((axis) => ({ ...axis, output: Math.max(1, axis.output) }))
  const wide = w.shape.length === 4 ? w : reshaped(w, [w.shape[0], w.shape[1], 1, w.shape[2]])!
  return {
    x: notEmpty(op, channelsFastest(op, padded?.view ?? op.view(0)), 0),
    w: wide,
    rows,
    columns,
    groups: call.integer('group', 1),
  }
}

export const windowNumbers = (rows: Axis, columns: Axis): number[] =>
  (['kernel', 'stride', 'dilation', 'before'] as const).flatMap((name) => [rows[name], columns[name]])

/** Whether weights and bias are known: only then may anything follow in the same instruction. */
const isKnown = (op: Op): boolean =>
  op.constant(1) !== undefined && (op.constant(2) !== undefined || op.optional(2) === undefined)

/** What follows the sums of N outputs, with a bias that is known. */
export function afterSums(op: Op, N: number): Epilogue {
  const bias = op.constant(2)
  const epilogue = isKnown(op) ? epilogueOf(op, 1, N) : nothingAfter(op, N)
  return withBiases(epilogue, bias && perOutput(bias, 1, 0, N))
}

/** What was made of (B, H, W, C) as the operator's result, with all that follows it or a bias that is looked at in the run. */
export function ended(op: Op, y: View, epilogue: Epilogue): View {
  const made = channelsSecond(y, op.result().shape.length)
  if (isKnown(op)) return finished(op, epilogue, made)
  const bias = op.optional(2)
  const [, C, ...space] = made.shape
  return bias ? op.zip('add', made, op.reshape(bias, [C, ...space.map(() => 1)])) : made
}

/** The most taps of a depthwise convolution whose sums of int8 are exact in a float. */
const mostInt8Taps = 1024

const isFloat = (op: Op): boolean => op.to.weights.precision.activations === 'f32'

const conv: Row = (op) => {
  const layout = layoutOf(op, false)
  const { x, rows, columns, groups } = layout
  const constant = op.constant(1)
  const O = op.result().shape[1]
  const epilogue = afterSums(op, O)
  const y = op.make('float32', [x.shape[0], rows.output, columns.output, O])
  const isDepthwise = groups > 1 && groups === x.shape[3] && groups === O
  if (constant === undefined) convOfRun(op, layout, y)
  else if (isDepthwise && (isFloat(op) || rows.kernel * columns.kernel <= mostInt8Taps)) {
    depthwise(op, layout, constant, y, epilogue)
  } else if (!convOfSymmetric(op, layout, constant, y, epilogue)) {
    convOfConstant(op, layout, constant, y, epilogue)
  }
  return ended(op, y, epilogue)
}

/** Two packed matrices, of filters that are symmetric, where all are so: false where they are not. */
function convOfSymmetric(
  op: Op,
  { x, w, rows, columns, groups }: Layout,
  constant: GraphTensor,
  y: View,
  epilogue: Epilogue,
): boolean {
  const { kernel } = columns
  const mayBe = groups === 1 && isFloat(op) && areOfOneChannel(rows, columns, x.shape)
  const symmetry = mayBe && symmetryOf(valuesIn(w) as Float32Array, kernel)
  if (!symmetry) return false
  const { first, kept, even } = symmetry
  const matrix = matrixOf(op, constant, `symmetric ${kernel}`, epilogue)
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
  const matrix = matrixOf(op, constant, `conv ${groups} ${top} ${left} ${columns.kernel}`, epilogue)
  const memories = Array.from({ length: groups }, (_, g) =>
    matrix(g * N, N, K, () => permuted(sliced(w, 0, g * N, N), [0, 2, 3, 1])),
  )
  const kept = precisionNumbers(op.to.weights.precision)
  const numbers = [memories[0], ...kept, groups, K, N, ...windowNumbers(rows, columns), ...epilogue.after, isWhole(N)]
  op.emit('conv', [...numbers, x], [y])
}

function depthwise(op: Op, { x, w, rows, columns }: Layout, constant: GraphTensor, y: View, epilogue: Epilogue): void {
  const C = x.shape[3]
  const K = rows.kernel * columns.kernel
  const made = folded(reshaped(w, [C, K])!, epilogue)
  setScales(made.weight, scalesOfOutputs(constant, C))
  // Rounded as they are, and kept widened: there are few.
  const kept = KeptMatrix.of(op.to.weights.precision.weights, made.weight, C, K)
  const scales = isFloat(op) ? undefined : op.floats(kept.scales(), [C])
  const weight = permuted(
    op.floats(scales ? kept.integers() : kept.plain(), [C, rows.kernel, columns.kernel]),
    [1, 2, 0],
  )
  const numbers = [...windowNumbers(rows, columns), ...epilogue.after]
  op.emit('depthwise', [...numbers, x, op.dense(weight), op.floats(made.bias, [C]), scales], [y])
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
