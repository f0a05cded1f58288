/** How a window slides over one or two axes: kernel, stride, dilation, padding. It alone knows auto_pad and ceil_mode. */

import { list } from '../../errors.ts'
import { sameShape } from '../../tensor/shape.ts'
import type { Call } from '../call.ts'

/** One axis: value k of window w lies at w · stride + k · dilation − before. */
export interface Axis {
  readonly input: number
  readonly kernel: number
  readonly stride: number
  readonly dilation: number
  readonly before: number
  readonly after: number
  readonly output: number
}

/** The attributes of windows. */
export const windowAttributes = 'auto_pad dilations kernel_shape pads strides'

/** Larger numbers than any size of an axis would lose digits where they are multiplied. */
const limit = 2 ** 31

/** The axes behind N and C, one or two of them if not more are allowed. */
export function spatialOf(call: Call, shape: readonly number[], most = 2): readonly number[] {
  const spatial = shape.slice(2)
  if (shape.length < 3) call.fail(`an input of rank ${shape.length}, without axes of space`)
  if (spatial.length > most) call.fail(`${spatial.length} axes of space are not supported; 1 or 2 are`)
  return spatial
}

/** Integers for each axis, of at least `least`; undefined where the attribute is left out. */
export function perAxis(call: Call, name: string, axes: number, least: number): number[] | undefined {
  const values = call.integers(name)
  if (values && (values.length !== axes || values.some((value) => !(value >= least && value < limit)))) {
    call.fail(`${name} must be ${axes} integers of at least ${least}, got ${list(values)}`)
  }
  return values
}

const autoPads = ['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'] as const

function autoPadOf(call: Call): (typeof autoPads)[number] {
  const mode = call.text('auto_pad', '') || 'NOTSET'
  return autoPads.find((one) => one === mode) ?? call.unsupported(`auto_pad ${mode} is not supported`)
}

/** The kernel's size, which the weights of a convolution say too. */
export function kernelOf(call: Call, axes: number, weights?: readonly number[]): number[] {
  const kernel = perAxis(call, 'kernel_shape', axes, 1)
  if (weights === undefined) return kernel ?? call.fail('kernel_shape is missing')
  if (kernel && !sameShape(kernel, weights)) {
    call.fail(`kernel_shape ${list(kernel)} for weights of ${list(weights)}`)
  }
  if (weights.includes(0)) call.fail(`weights without values, of ${list(weights)}`)
  return [...weights]
}

/** What attributes say of how a window slides over so many axes: of axis i where `auto_pad` leaves it the pads. */
export function slidesOf(call: Call, axes: number) {
  const strides = perAxis(call, 'strides', axes, 1)
  const dilations = perAxis(call, 'dilations', axes, 1)
  const given = perAxis(call, 'pads', 2 * axes, 0)
  const mode = autoPadOf(call)
  const pads = mode === 'NOTSET' ? given : undefined
  const along = (i: number) => ({
    stride: strides?.[i] ?? 1,
    dilation: dilations?.[i] ?? 1,
    before: pads?.[i] ?? 0,
    after: pads?.[i + axes] ?? 0,
  })
  return { mode, along }
}

/** The windows of a convolution or a pooling. */
export function windowsOf(call: Call, spatial: readonly number[], kernel: readonly number[], roundsUp = false): Axis[] {
  const { mode, along } = slidesOf(call, spatial.length)
  return spatial.map((input, i) => {
    let { stride, dilation, before, after } = along(i)
    const extent = (kernel[i] - 1) * dilation + 1
    if (mode.startsWith('SAME')) {
      const total = Math.max(0, (Math.ceil(input / stride) - 1) * stride + extent - input)
      before = firstOfSame(mode, total)
      after = total - before
    }
    const room = input + before + after - extent
    if (room < 0) call.fail(`a window over ${extent} of ${input + before + after} values`)
    let output = (roundsUp ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1
    // A window that would begin behind the input and the padding before it has nothing to look at.
    if (roundsUp && (output - 1) * stride >= input + before) output--
    return { input, kernel: kernel[i], stride, dilation, before, after, output }
  })
}

/** How many of all pads come first. */
export function firstOfSame(mode: string, total: number): number {
  return mode === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2)
}

const single: Axis = { input: 1, kernel: 1, stride: 1, dilation: 1, before: 0, after: 0, output: 1 }

/** Without the step of a single window, and the distance of a single value: they may be any number, and decide nothing. */
const plain = (axis: Axis): Axis => ({
  ...axis,
  stride: axis.output === 1 ? 1 : axis.stride,
  dilation: axis.kernel === 1 ? 1 : axis.dilation,
})

/** Rows and columns: what has one axis has a single row. */
export function asPlane(axes: readonly Axis[]): readonly [rows: Axis, columns: Axis] {
  const [first, second] = axes.map(plain)
  return second === undefined ? [single, first] : [first, second]
}

/** The first window whose value k lies on the axis, and the first after it whose does not. */
export function firstWindow({ stride, dilation, before }: Axis, k: number): number {
  return Math.max(0, Math.ceil((before - k * dilation) / stride))
}

export function endOfWindows({ input, stride, dilation, before, output }: Axis, k: number): number {
  return Math.min(output, Math.floor((input - 1 + before - k * dilation) / stride) + 1)
}
