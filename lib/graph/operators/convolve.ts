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
  endOfWindows,
  firstOfSame,
  firstWindow,
  kernelOf,
  perAxis,
  slidesOf,
  windowAttributes,
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

/** Sums planes: `plane` values each of the input and of the output. Each output of a group has weights for each input, in the transpose each input for each output. */
function* run(
  call: Call,
  layout: Layout,
  made: GraphTensor,
  axes: readonly Axis[],
  isTransposed: boolean,
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
      const own = isTransposed ? (g * inputs + i) * outputs + o : (g * outputs + o) * inputs + i
      const weight = weights[own * taps + tap]
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

function convolve(call: Call, isTransposed: boolean): Pass<GraphTensor> {
  const layout = layoutOf(call, isTransposed)
  const { x, w, groups, inputs, outputs } = layout
  const spatial = x.shape.slice(2)
  const kernel = kernelOf(call, spatial.length, w.shape.slice(2))
  const axes = (isTransposed ? transposedAxes : windowsOf)(call, spatial, kernel)
  const sizes = axes.map(({ input, output }) => (isTransposed ? input : output))
  const made = call.allocate(x.type, [x.shape[0], groups * outputs, ...sizes])
  const isShort = sizes.at(-1)! < shortRow && count(sizes) * inputs * count(kernel) <= mostWindows
  if (!isTransposed && isShort && made.data.length > 0) return convByWindows(call, layout, made, axes)
  return run(call, layout, made, axes, isTransposed)
}

/** The axes of the convolution that this one is the transpose of: its outputs are the inputs here. */
export function transposedAxes(call: Call, spatial: readonly number[], kernel: readonly number[]): Axis[] {
  const axes = spatial.length
  const { mode, along } = slidesOf(call, axes)
  const more = perAxis(call, 'output_padding', axes, 0)
  const given = perAxis(call, 'output_shape', axes, 1)
  return spatial.map((output, i) => {
    let { stride, dilation, before, after } = along(i)
    const whole = stride * (output - 1) + (more?.[i] ?? 0) + (kernel[i] - 1) * dilation + 1
    let input = whole - before - after
    if (given || mode.startsWith('SAME')) {
      input = given?.[i] ?? output * stride
      before = firstOfSame(mode, Math.max(0, whole - input))
    }
    if (output > 0 && input < 0) call.fail(`pads that leave ${input} values of an axis`)
    return { input: Math.max(0, input), kernel: kernel[i], stride, dilation, before, after: 0, output }
  })
}

export const convolutions: Rows = {
  Conv: rowOf((call) => convolve(call, false), 2, 3, `${windowAttributes} group`),
  ConvTranspose: rowOf((call) => convolve(call, true), 2, 3, `${windowAttributes} group output_padding output_shape`),
}
