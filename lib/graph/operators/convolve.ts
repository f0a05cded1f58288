/** Convolution over one or two axes, and its transpose: for each value of the kernel, one pass over a plane. */

import { list } from '../../errors.ts'
import type { Call } from '../call.ts'
import { inStretches, Pace, type Pass, stretch } from '../pace.ts'
import { roundTo } from '../rounding.ts'
import { count, type GraphTensor, lengthOf } from '../tensor.ts'
import type { Rows } from './row.ts'
import {
  type Axis,
  asPlane,
  autoPadOf,
  endOfWindows,
  firstWindow,
  kernelOf,
  perAxis,
  spatialOf,
  windowsOf,
} from './window.ts'

/** What both have alike. Channels of a group go to the outputs of the same group. */
export interface Layout {
  readonly x: GraphTensor
  readonly w: GraphTensor
  readonly bias: Float32Array | undefined
  readonly groups: number
  /** Input channels and outputs of one group. */
  readonly inputs: number
  readonly outputs: number
}

/** Reads and checks the inputs of a convolution or its transpose. */
export function layoutOf(call: Call, isTransposed: boolean): Layout {
  const x = call.floats(0)
  const w = call.floats(1, x)
  spatialOf(call, x.shape)
  if (w.shape.length !== x.shape.length) call.fail(`weights ${list(w.shape)} of an input ${list(x.shape)}`)
  const C = x.shape[1]
  const groups = call.integer('group', 1)
  if (!(groups >= 1 && C % groups === 0 && w.shape[0] % groups === 0)) {
    call.fail(`${groups} groups of ${C} channels and weights ${list(w.shape)}`)
  }
  const inputs = C / groups
  if ((isTransposed ? w.shape[0] : w.shape[1] * groups) !== C) {
    call.fail(`${C} channels in ${groups} groups for weights ${list(w.shape)}`)
  }
  const outputs = isTransposed ? w.shape[1] : w.shape[0] / groups
  const bias = call.inputs[2] && call.floats(2, x)
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== groups * outputs)) {
    call.fail(`a bias ${list(bias.shape)} of ${groups * outputs} outputs`)
  }
  return { x, w, bias: bias && (bias.data as Float32Array), groups, inputs, outputs }
}

/** Windows of a plane: rows and columns from the first to before the last. */
interface Part {
  readonly top: number
  readonly bottom: number
  readonly left: number
  readonly right: number
}

/** One value of the kernel over a part of a plane of the input and the sums of a plane of outputs. */
type Tap = (
  part: Part,
  weight: number,
  x: Float32Array,
  at: number,
  sums: Float64Array,
  rows: Axis,
  columns: Axis,
  row: number,
  column: number,
) => void

const gather: Tap = (part, weight, x, at, sums, rows, columns, row, column) => {
  const { stride } = columns
  const first = Math.max(part.left, firstWindow(columns, column))
  const end = Math.min(part.right, endOfWindows(columns, column))
  const last = Math.min(part.bottom, endOfWindows(rows, row))
  for (let r = Math.max(part.top, firstWindow(rows, row)); r < last; r++) {
    const y = r * rows.stride + row * rows.dilation - rows.before
    const from = at + y * columns.input + column * columns.dilation - columns.before
    const to = r * columns.output
    for (let c = first; c < end; c++) sums[to + c] += weight * x[from + c * stride]
  }
}

/** The same with the two planes in each other's place. */
const scatter: Tap = (part, weight, x, at, sums, rows, columns, row, column) => {
  const { stride } = columns
  const first = Math.max(part.left, firstWindow(columns, column))
  const end = Math.min(part.right, endOfWindows(columns, column))
  const last = Math.min(part.bottom, endOfWindows(rows, row))
  for (let r = Math.max(part.top, firstWindow(rows, row)); r < last; r++) {
    const y = r * rows.stride + row * rows.dilation - rows.before
    const to = y * columns.input + column * columns.dilation - columns.before
    const from = at + r * columns.output
    for (let c = first; c < end; c++) sums[to + c * stride] += weight * x[from + c]
  }
}

/** Sums planes: `plane` values each of the input and of the output. Weight (o, i) of a group starts where `weightAt` says. */
function* run(
  call: Call,
  layout: Layout,
  made: GraphTensor,
  axes: readonly Axis[],
  tapped: Tap,
  weightAt: (g: number, o: number, i: number) => number,
): Pass<GraphTensor> {
  const { x, w, bias, groups, inputs, outputs } = layout
  const [rows, columns] = asPlane(axes)
  const taps = rows.kernel * columns.kernel
  const [from, to] = [count(x.shape.slice(2)), count(made.shape.slice(2))]
  const planes = lengthOf(made) === 0 ? 0 : made.shape[0] * groups * outputs
  // Rows of windows are begun even where they are short.
  call.spend(planes * inputs * taps * (rows.output * (columns.output + 4) + 8))
  if (call.isDry) return made
  const sums = call.scratch(to)
  const [data, weights] = [x.data as Float32Array, w.data as Float32Array]
  const parts = partsOf(rows.output, columns.output)
  const isShort = parts.length === 1 && taps * to <= 4 * stretch
  const pace = new Pace()
  for (let plane = 0; plane < planes; plane++) {
    const o = plane % outputs
    const g = ((plane - o) / outputs) % groups
    const n = Math.floor(plane / outputs / groups)
    const first = bias === undefined ? 0 : bias[g * outputs + o]
    if (to <= stretch) sums.fill(first)
    else yield* inStretches(to, (begin, end) => sums.fill(first, begin, end))
    for (let i = 0; i < inputs; i++) {
      const at = ((n * groups + g) * inputs + i) * from
      const weight = weightAt(g, o, i) * taps
      if (isShort) tappedAll(tapped, parts[0], weights, weight, data, at, sums, rows, columns)
      else yield* inParts(tapped, parts, weights, weight, data, at, sums, rows, columns)
      if (pace.isOver(taps * (to + 8))) yield
    }
    if (to <= stretch) made.data.set(sums as never, plane * to)
    else yield* inStretches(to, (begin, end) => made.data.set(sums.subarray(begin, end) as never, plane * to + begin))
  }
  yield* roundTo(made.type, made.data)
  return made
}

/** All values of a kernel. */
function tappedAll(
  tapped: Tap,
  part: Part,
  weights: Float32Array,
  weight: number,
  x: Float32Array,
  at: number,
  sums: Float64Array,
  rows: Axis,
  columns: Axis,
): void {
  const taps = rows.kernel * columns.kernel
  for (let tap = 0; tap < taps; tap++) {
    const column = tap % columns.kernel
    tapped(part, weights[weight + tap], x, at, sums, rows, columns, (tap - column) / columns.kernel, column)
  }
}

/** The same, a part of the plane at a time. */
function* inParts(
  tapped: Tap,
  parts: readonly Part[],
  weights: Float32Array,
  weight: number,
  x: Float32Array,
  at: number,
  sums: Float64Array,
  rows: Axis,
  columns: Axis,
): Pass<void> {
  const pace = new Pace()
  const taps = rows.kernel * columns.kernel
  for (let tap = 0; tap < taps; tap++) {
    const column = tap % columns.kernel
    const row = (tap - column) / columns.kernel
    for (let p = 0; p < parts.length; p++) {
      const part = parts[p]
      tapped(part, weights[weight + tap], x, at, sums, rows, columns, row, column)
      if (pace.isOver((part.bottom - part.top) * (part.right - part.left + 4) + 8)) yield
    }
  }
}

/** A plane in parts of about so many windows as may be done without a stop. */
function partsOf(rows: number, columns: number): Part[] {
  const wide = Math.min(columns, stretch)
  const high = Math.max(1, Math.floor(stretch / wide))
  const parts: Part[] = []
  for (let r = 0; r < rows; r += high) {
    const bottom = Math.min(rows, r + high)
    for (let c = 0; c < columns; c += wide) parts.push({ top: r, bottom, left: c, right: Math.min(columns, c + wide) })
  }
  return parts
}

/** Rows of windows are shorter than this where a value of the kernel at a time would hardly be worth to begin. */
const shortRow = 32
const mostWindows = 2 ** 22

/**
 * The same sums in the same order, for short rows: what each window sees is laid side by side, as each output's weights are, and four
 * outputs are summed at once, so that no addition waits for the one before it.
 */
function* convByWindows(call: Call, layout: Layout, made: GraphTensor, axes: readonly Axis[]): Pass<GraphTensor> {
  const { x, w, bias, groups, inputs, outputs } = layout
  const plane = asPlane(axes)
  const to = plane[0].output * plane[1].output
  const K = inputs * plane[0].kernel * plane[1].kernel
  call.spend((made.data.length + x.shape[0] * groups * to) * K)
  const windows = call.scratch(to * K)
  const [weights, data] = [w.data as Float32Array, made.data as Float32Array]
  const pace = new Pace()
  const first = (o: number) => (bias === undefined ? 0 : bias[o])
  for (let ng = 0; ng < x.shape[0] * groups; ng++) {
    yield* layWindows(x.data as Float32Array, ng * inputs * plane[0].input * plane[1].input, inputs, plane, windows)
    const g = ng % groups
    for (let o = g * outputs, end = o + outputs, row = ng * outputs * to; o < end; ) {
      const [w0, w1, w2, w3] = [o * K, (o + 1) * K, (o + 2) * K, (o + 3) * K]
      const wide = o + 4 <= end ? 4 : 1
      for (let p = 0; p < to; p++) {
        let [a, b, c, d] = wide === 4 ? [first(o), first(o + 1), first(o + 2), first(o + 3)] : [first(o), 0, 0, 0]
        const at = p * K
        if (wide === 1) for (let k = 0; k < K; k++) a += weights[w0 + k] * windows[at + k]
        else {
          for (let k = 0; k < K; k++) {
            const value = windows[at + k]
            a += weights[w0 + k] * value
            b += weights[w1 + k] * value
            c += weights[w2 + k] * value
            d += weights[w3 + k] * value
          }
          data[row + to + p] = b
          data[row + 2 * to + p] = c
          data[row + 3 * to + p] = d
        }
        data[row + p] = a
        if (pace.isOver(wide * (K + 2))) yield
      }
      o += wide
      row += wide * to
    }
  }
  yield* roundTo(made.type, made.data)
  return made
}

/** (window, channel, value of the kernel); 0 beyond the edges. */
function* layWindows(
  x: Float32Array,
  start: number,
  inputs: number,
  [rows, columns]: readonly [Axis, Axis],
  windows: Float64Array,
): Pass<void> {
  const taps = rows.kernel * columns.kernel
  const K = inputs * taps
  yield* inStretches(windows.length, (from, to) => windows.fill(0, from, to))
  const pace = new Pace()
  for (let i = 0; i < inputs; i++) {
    const at = start + i * rows.input * columns.input
    for (let tap = 0; tap < taps; tap++) {
      const column = tap % columns.kernel
      const row = (tap - column) / columns.kernel
      const [first, end] = [firstWindow(columns, column), endOfWindows(columns, column)]
      for (let r = firstWindow(rows, row), last = endOfWindows(rows, row); r < last; r++) {
        const y = r * rows.stride + row * rows.dilation - rows.before
        const from = at + y * columns.input + column * columns.dilation - columns.before
        const to = r * columns.output * K + i * taps + tap
        for (let c = first; c < end; c++) windows[to + c * K] = x[from + c * columns.stride]
      }
      if (pace.isOver(rows.output * (columns.output + 4))) yield
    }
  }
}

function conv(call: Call): Pass<GraphTensor> {
  const layout = layoutOf(call, false)
  const { x, w, groups, inputs, outputs } = layout
  const axes = windowsOf(call, spatialOf(call, x.shape), kernelOf(call, x.shape.length - 2, w.shape.slice(2)))
  const made = call.allocate(x.type, [x.shape[0], groups * outputs, ...axes.map(({ output }) => output)])
  const plane = count(axes.map(({ output }) => output))
  const isShort = axes[axes.length - 1].output < shortRow && plane * inputs * count(w.shape.slice(2)) <= mostWindows
  if (isShort && made.data.length > 0) return convByWindows(call, layout, made, axes)
  return run(call, layout, made, axes, gather, (g, o, i) => (g * outputs + o) * inputs + i)
}

/** The axes of the convolution that this one is the transpose of: its outputs are the inputs here. */
export function transposedAxes(call: Call, spatial: readonly number[], kernel: readonly number[]): Axis[] {
  const axes = spatial.length
  const strides = perAxis(call, 'strides', axes, 1, 1)
  const dilations = perAxis(call, 'dilations', axes, 1, 1)
  const pads = perAxis(call, 'pads', 2 * axes, 0, 0)
  const more = perAxis(call, 'output_padding', axes, 0, 0)
  const mode = autoPadOf(call)
  const isSame = mode === 'SAME_UPPER' || mode === 'SAME_LOWER'
  const given = call.attribute('output_shape') === undefined ? undefined : perAxis(call, 'output_shape', axes, 0, 1)
  return spatial.map((output, i) => {
    const [stride, dilation] = [strides[i], dilations[i]]
    const whole = stride * (output - 1) + more[i] + (kernel[i] - 1) * dilation + 1
    let before = mode === 'NOTSET' ? pads[i] : 0
    let input = whole - before - (mode === 'NOTSET' ? pads[i + axes] : 0)
    if (given !== undefined || isSame) {
      input = given === undefined ? output * stride : given[i]
      const total = Math.max(0, whole - input)
      before = mode === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2)
    }
    if (output > 0 && input < 0) call.fail(`pads that leave ${input} values of an axis`)
    return { input: Math.max(0, input), kernel: kernel[i], stride, dilation, before, after: 0, output }
  })
}

function convTranspose(call: Call): Pass<GraphTensor> {
  const layout = layoutOf(call, true)
  const { x, w, groups, inputs, outputs } = layout
  const axes = transposedAxes(call, spatialOf(call, x.shape), kernelOf(call, x.shape.length - 2, w.shape.slice(2)))
  const made = call.allocate(x.type, [x.shape[0], groups * outputs, ...axes.map(({ input }) => input)])
  return run(call, layout, made, axes, scatter, (g, o, i) => (g * inputs + i) * outputs + o)
}

export const convolutions: Rows = {
  Conv: {
    run: conv,
    inputs: [2, 3],
    attributes: ['auto_pad', 'dilations', 'group', 'kernel_shape', 'pads', 'strides'],
  },
  ConvTranspose: {
    run: convTranspose,
    inputs: [2, 3],
    attributes: ['auto_pad', 'dilations', 'group', 'kernel_shape', 'output_padding', 'output_shape', 'pads', 'strides'],
  },
}
