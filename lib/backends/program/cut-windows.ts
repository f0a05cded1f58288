/** How instructions whose windows slide over images are cut: parts of the image that is made, each from what its windows see. */

import { type Divisible, made, type Rule, sizeOf } from './cut-rule.ts'
import { rowsOf, wholeTiles } from './cut-tiles.ts'
import type { Instruction } from './emit.ts'
import { sliced, type View } from './views.ts'

/** Where the numbers of a window begin, and where x stands; by the order of native/protocol/instructions.h. */
interface WindowPlaces {
  readonly window: number
  readonly x: number
}

/** Kernel, strides, dilations and padding, two numbers each: of rows or of columns. */
function windowAlong({ inputs }: Instruction, { window }: WindowPlaces, axis: number) {
  const [kernel, stride, dilation, pad] = [0, 2, 4, 6].map((i) => inputs[window + i + axis - 1] as number)
  return { kernel, stride, dilation, pad }
}

/** What a part of y sees of an axis of x: values [first, end), and the padding that is then before them. */
type Seen = [first: number, end: number, pad: number]

/** Over (B, H, W, C), by what values from one on see of so many along an axis; undefined where they have no instruction of their own. */
const parts =
  (
    instruction: Instruction,
    places: WindowPlaces,
    seen: (window: ReturnType<typeof windowAlong>, from: number, size: number, values: number) => Seen | undefined,
  ): Divisible['part'] =>
  (axis, from, size) => {
    const x = instruction.inputs[places.x] as View
    const window = windowAlong(instruction, places, axis)
    const range = axis === 0 ? ([from, from + size, 0] as const) : seen(window, from, size, x.shape[axis])
    if (range === undefined) return undefined
    const [first, end, pad] = range
    const inputs = instruction.inputs.with(places.x, sliced(x, axis, first, end - first))
    if (axis > 0) inputs[places.window + 5 + axis] = pad
    return { ...instruction, inputs, outputs: [sliced(made(instruction), axis, from, size)] }
  }

/** The windows from one on are those of what is left of the input there. */
const windows =
  (
    places: WindowPlaces,
    work: (instruction: Instruction) => number,
    least?: (instruction: Instruction) => number,
  ): Rule =>
  (instruction) => ({
    work: work(instruction),
    least: least?.(instruction),
    axes: [0, 1, 2],
    part: parts(instruction, places, ({ stride, pad }, from, _, values) => {
      const first = Math.max(0, from * stride - pad)
      return first < values ? [first, values, pad + first - from * stride] : undefined
    }),
  })

/** Values of an axis that a window lies over. */
const reachOf = ({ kernel, dilation }: ReturnType<typeof windowAlong>): number => (kernel - 1) * dilation + 1

/** Values of y that inputs are added to: those of a part are the inputs whose taps reach it. */
export const transposed: Rule = (instruction) => {
  const places = { window: 4, x: 15 }
  const [, groups, K, N] = instruction.inputs as number[]
  const x = instruction.inputs[places.x] as View
  const [rows, columns] = [1, 2].map((axis) => windowAlong(instruction, places, axis))
  const adds = groups === 1 && columns.dilation === 1 ? rows.kernel : rows.kernel * columns.kernel
  return {
    work: (sizeOf(x) / (groups * K)) * groups * (N * (K + 2) + 55 * adds),
    axes: [0, 1, 2],
    // Smaller parts would make the products of most inputs anew.
    fewest: (axis) => (axis === 0 ? 1 : reachOf(axis === 1 ? rows : columns)),
    part: parts(instruction, places, (window, from, size, values) => {
      const { stride, pad } = window
      const first = Math.min(values - 1, Math.max(0, Math.ceil((from + pad + 1 - reachOf(window)) / stride)))
      const end = Math.max(first + 1, Math.min(values, Math.floor((from + size - 1 + pad) / stride) + 1))
      const shifted = pad + from - first * stride
      return shifted < 0 ? undefined : [first, end, shifted]
    }),
  }
}

const taps = ({ window }: WindowPlaces, { inputs }: Instruction): number =>
  (inputs[window] as number) * (inputs[window + 1] as number)

/** Pixels of all channels. */
const pixelsOf = (image: View): number => sizeOf(image) / image.shape[3]

const ofConv = { window: 6, x: 18 }
export const conv = windows(
  ofConv,
  (one) => {
    const [groups, K, N] = one.inputs.slice(3, 6) as number[]
    return pixelsOf(made(one)) * groups * (K * (wholeTiles(N) + 4) + 32)
  },
  ({ inputs }) => rowsOf((inputs[3] as number) * (inputs[4] as number) * (inputs[5] as number)),
)

const ofSymmetricConv = { window: 6, x: 17 }
export const symmetricConv = windows(ofSymmetricConv, (one) => {
  const y = made(one)
  const kept = taps(ofSymmetricConv, one) / 2
  return pixelsOf(y) * (kept * (wholeTiles(y.shape[3]) + 8) + 32)
})

const ofDepthwise = { window: 0, x: 11 }
export const depthwise = windows(ofDepthwise, (one) => 2 * sizeOf(made(one)) * taps(ofDepthwise, one))

/** Each value of a window is a call of its own. */
const ofPool = { window: 1, x: 11 }
export const pool = windows(ofPool, (one) => {
  const y = made(one)
  return pixelsOf(y) * (taps(ofPool, one) * (2 * y.shape[3] + 100) + 50)
})
