/** How instructions whose windows slide over images are cut: parts of the image that is made, each from what its windows see. */

import { made, type Rule, sizeOf } from './cut-rule.ts'
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

/** The same window with another padding, over a part of x, for a part of y. */
function windowed(instruction: Instruction, places: WindowPlaces, axis: number, pad: number, x: View, y: View) {
  const inputs = instruction.inputs.with(places.x, x)
  if (axis > 0) inputs[places.window + 5 + axis] = pad
  return { ...instruction, inputs, outputs: [y] }
}

/** Over (B, H, W, C): the windows from one on are those of what is left of the input there. */
const windows =
  (
    places: WindowPlaces,
    work: (instruction: Instruction) => number,
    least?: (instruction: Instruction) => number,
  ): Rule =>
  (instruction) => {
    const x = instruction.inputs[places.x] as View
    const y = made(instruction)
    return {
      work: work(instruction),
      least: least?.(instruction),
      axes: [0, 1, 2],
      part(axis, from, size) {
        const part = sliced(y, axis, from, size)
        if (axis === 0) return windowed(instruction, places, 0, 0, sliced(x, 0, from, size), part)
        const { stride, pad } = windowAlong(instruction, places, axis)
        const first = Math.max(0, from * stride - pad)
        if (first >= x.shape[axis]) return undefined
        const rest = sliced(x, axis, first, x.shape[axis] - first)
        return windowed(instruction, places, axis, pad + first - from * stride, rest, part)
      },
    }
  }

/** Values of y that inputs are added to: those of a part are the inputs whose taps reach it. */
export const transposed: Rule = (instruction) => {
  const places = { window: 4, x: 15 }
  const [, groups, K, N] = instruction.inputs as number[]
  const x = instruction.inputs[places.x] as View
  const y = made(instruction)
  const [rows, columns] = [1, 2].map((axis) => windowAlong(instruction, places, axis))
  const adds = groups === 1 && columns.dilation === 1 ? rows.kernel : rows.kernel * columns.kernel
  return {
    work: (sizeOf(x) / (groups * K)) * groups * (N * (K + 2) + 55 * adds),
    axes: [0, 1, 2],
    // Smaller parts would make the products of most inputs anew.
    fewest: (axis) =>
      axis === 0 ? 1 : ([rows, columns][axis - 1].kernel - 1) * [rows, columns][axis - 1].dilation + 1,
    part(axis, from, size) {
      const part = sliced(y, axis, from, size)
      if (axis === 0) return windowed(instruction, places, 0, 0, sliced(x, 0, from, size), part)
      const { kernel, stride, dilation, pad } = windowAlong(instruction, places, axis)
      const last = x.shape[axis] - 1
      const first = Math.min(last, Math.max(0, Math.ceil((from + pad - (kernel - 1) * dilation) / stride)))
      const end = Math.max(first + 1, Math.min(last + 1, Math.floor((from + size - 1 + pad) / stride) + 1))
      const shifted = pad + from - first * stride
      if (shifted < 0) return undefined
      return windowed(instruction, places, axis, shifted, sliced(x, axis, first, end - first), part)
    },
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
