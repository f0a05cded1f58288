/** Convolution over one or two axes, and its transpose: for each value of the kernel, one pass over a plane. */

import { list } from '../../errors.ts'
import type { Call } from '../call.ts'
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
interface Layout {
  readonly x: GraphTensor
  readonly w: GraphTensor
  readonly bias: Float32Array | undefined
  readonly groups: number
  /** Input channels and outputs of one group. */
  readonly inputs: number
  readonly outputs: number
}

function layoutOf(call: Call, isTransposed: boolean): Layout {
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

/** A pass of one value of the kernel over a plane of the input and the sums of a plane of outputs. */
type Pass = (
  weight: number,
  x: Float32Array,
  at: number,
  sums: Float64Array,
  rows: Axis,
  columns: Axis,
  row: number,
  column: number,
) => void

const gather: Pass = (weight, x, at, sums, rows, columns, row, column) => {
  const { stride } = columns
  const [first, end] = [firstWindow(columns, column), endOfWindows(columns, column)]
  for (let r = firstWindow(rows, row), last = endOfWindows(rows, row); r < last; r++) {
    const y = r * rows.stride + row * rows.dilation - rows.before
    const from = at + y * columns.input + column * columns.dilation - columns.before
    const to = r * columns.output
    for (let c = first; c < end; c++) sums[to + c] += weight * x[from + c * stride]
  }
}

/** The same with the two planes in each other's place. */
const scatter: Pass = (weight, x, at, sums, rows, columns, row, column) => {
  const { stride } = columns
  const [first, end] = [firstWindow(columns, column), endOfWindows(columns, column)]
  for (let r = firstWindow(rows, row), last = endOfWindows(rows, row); r < last; r++) {
    const y = r * rows.stride + row * rows.dilation - rows.before
    const to = y * columns.input + column * columns.dilation - columns.before
    const from = at + r * columns.output
    for (let c = first; c < end; c++) sums[to + c * stride] += weight * x[from + c]
  }
}

/** Sums planes: `plane` values each of the input and of the output. Weight (o, i) of a group starts where `weightAt` says. */
function run(
  call: Call,
  layout: Layout,
  made: GraphTensor,
  axes: readonly Axis[],
  pass: Pass,
  weightAt: (g: number, o: number, i: number) => number,
) {
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
  for (let plane = 0; plane < planes; plane++) {
    const o = plane % outputs
    const g = ((plane - o) / outputs) % groups
    const n = Math.floor(plane / outputs / groups)
    sums.fill(bias === undefined ? 0 : bias[g * outputs + o])
    for (let i = 0; i < inputs; i++) {
      const at = ((n * groups + g) * inputs + i) * from
      const weight = weightAt(g, o, i) * taps
      for (let tap = 0; tap < taps; tap++) {
        const column = tap % columns.kernel
        pass(weights[weight + tap], data, at, sums, rows, columns, (tap - column) / columns.kernel, column)
      }
    }
    made.data.set(sums as never, plane * to)
  }
  roundTo(made.type, made.data)
  return made
}

function conv(call: Call): GraphTensor {
  const layout = layoutOf(call, false)
  const { x, w, groups, inputs, outputs } = layout
  const axes = windowsOf(call, spatialOf(call, x.shape), kernelOf(call, x.shape.length - 2, w.shape.slice(2)))
  const made = call.allocate(x.type, [x.shape[0], groups * outputs, ...axes.map(({ output }) => output)])
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

function convTranspose(call: Call): GraphTensor {
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
