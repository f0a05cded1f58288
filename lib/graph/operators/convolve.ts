/** Convolution over one or two axes, and its transpose: for each value of the kernel, one pass over a plane. */

import type { Call } from '../call.ts'
import { inStretches, Pace, type Pass, stretch } from '../pace.ts'
import { rounded } from '../rounding.ts'
import { count, type GraphTensor, lengthOf } from '../tensor.ts'
import { type Layout, layoutOf } from './convolve-layout.ts'
import { convByWindows } from './convolve-windows.ts'
import { type Rows, rowOf } from './row.ts'
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

/** Windows of a plane: rows and columns from the first to before the last. */
interface Part {
  readonly top: number
  readonly bottom: number
  readonly left: number
  readonly right: number
}

/**
 * Adds one value of the kernel over a part of the windows: what they see of a plane of the input to their sums; in the transpose each value
 * of the input to the sums that its window sees.
 */
function addTap(
  part: Part,
  [rows, columns]: readonly [Axis, Axis],
  row: number,
  column: number,
  weight: number,
  x: Float32Array,
  at: number,
  sums: Float64Array,
  isTransposed: boolean,
): void {
  const { stride } = columns
  const first = Math.max(part.left, firstWindow(columns, column))
  const end = Math.min(part.right, endOfWindows(columns, column))
  const last = Math.min(part.bottom, endOfWindows(rows, row))
  for (let r = Math.max(part.top, firstWindow(rows, row)); r < last; r++) {
    const y = r * rows.stride + row * rows.dilation - rows.before
    const seen = y * columns.input + column * columns.dilation - columns.before
    const own = r * columns.output
    if (isTransposed) for (let c = first; c < end; c++) sums[seen + c * stride] += weight * x[at + own + c]
    else for (let c = first; c < end; c++) sums[own + c] += weight * x[at + seen + c * stride]
  }
}

/** Sums planes: `plane` values each of the input and of the output. Weight (o, i) of a group starts where `weightAt` says. */
function* run(
  call: Call,
  layout: Layout,
  made: GraphTensor,
  axes: readonly Axis[],
  isTransposed: boolean,
  weightAt: (g: number, o: number, i: number) => number,
): Pass<GraphTensor> {
  const { x, w, bias, groups, inputs, outputs } = layout
  const both = asPlane(axes)
  const [rows, columns] = both
  const taps = rows.kernel * columns.kernel
  const [from, to] = [count(x.shape.slice(2)), count(made.shape.slice(2))]
  const planes = lengthOf(made) === 0 ? 0 : made.shape[0] * groups * outputs
  // Rows of windows are begun even where they are short.
  call.spend(planes * inputs * taps * (rows.output * (columns.output + 4) + 8))
  if (call.isDry) return made
  const sums = call.scratch(to)
  const [data, weights] = [x.data as Float32Array, w.data as Float32Array]
  const parts = partsOf(rows.output, columns.output)
  const pace = new Pace()
  for (let plane = 0; plane < planes; plane++) {
    const o = plane % outputs
    const g = ((plane - o) / outputs) % groups
    const n = Math.floor(plane / outputs / groups)
    const first = bias === undefined ? 0 : bias[g * outputs + o]
    if (to <= stretch) sums.fill(first)
    else yield* inStretches(to, (begin, end) => sums.fill(first, begin, end))
    for (let k = 0; k < inputs * taps; k++) {
      const tap = k % taps
      const column = tap % columns.kernel
      const i = (k - tap) / taps
      const weight = weights[weightAt(g, o, i) * taps + tap]
      const at = ((n * groups + g) * inputs + i) * from
      for (let p = 0; p < parts.length; p++) {
        addTap(parts[p], both, (tap - column) / columns.kernel, column, weight, data, at, sums, isTransposed)
        if (pace.isOver(workOf(parts[p]))) yield
      }
    }
    if (to <= stretch) made.data.set(sums as never, plane * to)
    else yield* inStretches(to, (begin, end) => made.data.set(sums.subarray(begin, end) as never, plane * to + begin))
    if (pace.isOver(to)) yield
  }
  return yield* rounded(made)
}

const workOf = ({ top, bottom, left, right }: Part): number => (bottom - top) * (right - left + 4) + 8

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

function conv(call: Call): Pass<GraphTensor> {
  const layout = layoutOf(call, false)
  const { x, w, groups, inputs, outputs } = layout
  const axes = windowsOf(call, spatialOf(call, x.shape), kernelOf(call, x.shape.length - 2, w.shape.slice(2)))
  const made = call.allocate(x.type, [x.shape[0], groups * outputs, ...axes.map(({ output }) => output)])
  const plane = count(axes.map(({ output }) => output))
  const isShort = axes[axes.length - 1].output < shortRow && plane * inputs * count(w.shape.slice(2)) <= mostWindows
  if (isShort && made.data.length > 0) return convByWindows(call, layout, made, axes)
  return run(call, layout, made, axes, false, (g, o, i) => (g * outputs + o) * inputs + i)
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
  return run(call, layout, made, axes, true, (g, o, i) => (g * inputs + i) * outputs + o)
}

export const convolutions: Rows = {
  Conv: rowOf(conv, 2, 3, 'auto_pad dilations group kernel_shape pads strides'),
  ConvTranspose: rowOf(
    convTranspose,
    2,
    3,
    'auto_pad dilations group kernel_shape output_padding output_shape pads strides',
  ),
}
