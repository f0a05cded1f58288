/** Instructions that take long as several short ones, each of a part of what the whole makes, so that a thread may do other things in between. */

import { count } from '../../graph/tensor.ts'
import { zipFunction } from '../protocol.ts'
import { type Instruction, isView, type Operand } from './emit.ts'
import { axesOf, orderOf, sliced, type View } from './views.ts'

/** The most instructions that one program's are cut into. */
const mostParts = 2 ** 16

/** How an instruction can be cut. */
interface Divisible {
  /** About as many multiply-adds take as long. */
  readonly work: number
  /** Parts that take less than that are not worth it. */
  readonly least?: number
  /** Axes of what it makes along which parts know nothing of each other. */
  readonly axes: readonly number[]
  /** What makes `size` values along an axis, from one on; undefined where these have no instruction of their own. */
  part(axis: number, from: number, size: number): Instruction | undefined
}

type Rule = (instruction: Instruction) => Divisible

const made = ({ outputs }: Instruction): View => outputs.find((view) => view !== undefined)!

/** The axis of an operand that goes with one of the result; −1 where all of the operand belongs to each part. */
type Follow = (view: View, axis: number, place: number) => number

/** Inputs and outputs sliced, each along its own axis. */
const sliceOf =
  (instruction: Instruction, follow: Follow = (_, axis) => axis) =>
  (axis: number, from: number, size: number): Instruction => {
    const slice = (operand: Operand, place: number) => {
      const own = isView(operand) ? follow(operand, axis, place) : -1
      return own < 0 ? operand : sliced(operand as View, own, from, size)
    }
    const outputs = instruction.outputs.map((view) => view && sliced(view, axis, from, size))
    return { ...instruction, inputs: instruction.inputs.map(slice), outputs }
  }

/** Of operands with the axes of the result; `work` is that of a value, `isApart` says of an axis whether it can be cut. */
const alike =
  (work: number, isApart: (axis: number, instruction: Instruction) => boolean = () => true): Rule =>
  (instruction) => ({
    work: work * Math.max(...[...instruction.inputs, ...instruction.outputs].filter(isView).map(sizeOf)),
    axes: axesOf(made(instruction).shape).filter((axis) => isApart(axis, instruction)),
    part: sliceOf(instruction),
  })

const sizeOf = ({ shape }: View): number => count(shape)

/** Where operands do not lie in the order of the result, each value is far from the next one: no cache helps. */
const moving =
  (work: number): Rule =>
  (instruction) => {
    const order = `${orderOf(made(instruction))}`
    const isFar = instruction.inputs.some((x) => isView(x) && `${orderOf(x)}` !== order)
    return alike(isFar ? work + 14 : work)(instruction)
  }

/** Powers and remainders of floats are made one by one. */
const zip: Rule = (instruction) => {
  const [kind] = instruction.inputs
  return moving(kind === zipFunction.pow || kind === zipFunction.fmod ? 160 : 4)(instruction)
}

/** Not the one whose number stands at this place of the inputs. */
const butThat =
  (place: number) =>
  (axis: number, { inputs }: Instruction) =>
    axis !== inputs[place]

const reduce: Rule = (instruction) => {
  const x = instruction.inputs[1] as View
  return alike(4, (axis) => x.shape[axis] === made(instruction).shape[axis])(instruction)
}

const gather: Rule = (instruction) => {
  const [taken, , indices] = instruction.inputs as [number, View, View]
  const places = indices.shape.length
  const follow: Follow = (_, axis, place) => {
    const isPlace = axis >= taken && axis < taken + places
    if (place === 2) return isPlace ? axis - taken : -1
    return isPlace ? -1 : axis < taken ? axis : axis - places + 1
  }
  const y = made(instruction)
  return { work: 4 * sizeOf(y), axes: axesOf(y.shape), part: sliceOf(instruction, follow) }
}

const gatherElements: Rule = (instruction) => {
  const [taken] = instruction.inputs
  const y = made(instruction)
  const follow: Follow = (_, axis, place) => (place === 1 && axis === taken ? -1 : axis)
  return { work: 4 * sizeOf(y), axes: axesOf(y.shape), part: sliceOf(instruction, follow) }
}

const oneHot: Rule = (instruction) => {
  const [taken] = instruction.inputs as number[]
  const y = made(instruction)
  const follow: Follow = (_, axis, place) => (place === 2 ? (axis < taken ? axis : axis - 1) : -1)
  return {
    work: 2 * sizeOf(y),
    axes: axesOf(y.shape).filter((axis) => axis !== taken),
    part: sliceOf(instruction, follow),
  }
}

/** The work of a few rows of a matrix, which share one reading of it, where that is not long. */
const rowsOf = (weights: number): number => [8, 4].map((rows) => rows * weights).find((work) => work <= 1.2e7) ?? 0

const gemm: Rule = (instruction) => {
  const [, , , K, N] = instruction.inputs as number[]
  const y = made(instruction)
  return { work: sizeOf(y) * K, least: rowsOf(K * N), axes: axesOf(y.shape).slice(0, -1), part: sliceOf(instruction) }
}

const matmul: Rule = (instruction) => {
  const [, a] = instruction.inputs as [number, View, View]
  const y = made(instruction)
  const rank = y.shape.length
  // Rows are those of a, columns those of b.
  const follow: Follow = (_, axis, place) => (axis === rank - (place === 1 ? 1 : 2) ? -1 : axis)
  return { work: sizeOf(y) * a.shape[rank - 1], axes: axesOf(y.shape), part: sliceOf(instruction, follow) }
}

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
const transposed: Rule = (instruction) => {
  const places = { window: 4, x: 15 }
  const [, groups, K, N] = instruction.inputs as number[]
  const x = instruction.inputs[places.x] as View
  const y = made(instruction)
  return {
    work: (sizeOf(x) / (groups * K)) * groups * N * (K + 2),
    axes: [0, 1, 2],
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
const [ofConv, ofDepthwise, ofPool] = [
  { window: 6, x: 18 },
  { window: 0, x: 11 },
  { window: 1, x: 11 },
]

const rules: Partial<Record<Instruction['name'], Rule>> = {
  copy: moving(2),
  cast: moving(4),
  fill: alike(1),
  map: moving(10),
  zip,
  where: moving(3),
  reduce,
  argReduce: alike(4, butThat(2)),
  softmax: alike(16, butThat(1)),
  norm: alike(6, (axis, { inputs }) => axis < (inputs[2] as View).shape.length - (inputs[1] as number)),
  gather,
  gatherElements,
  oneHot,
  cumSum: alike(4, butThat(0)),
  topK: alike(40, butThat(0)),
  gemm,
  matmul,
  conv: windows(
    ofConv,
    (one) => sizeOf(made(one)) * (one.inputs[4] as number),
    ({ inputs }) => rowsOf((inputs[3] as number) * (inputs[4] as number) * (inputs[5] as number)),
  ),
  depthwise: windows(ofDepthwise, (one) => 2 * sizeOf(made(one)) * taps(ofDepthwise, one)),
  pool: windows(ofPool, (one) => 2 * sizeOf(made(one)) * taps(ofPool, one)),
  symmetricConv: windows({ window: 6, x: 17 }, ({ inputs, outputs: [y] }) => (sizeOf(y!) * (inputs[7] as number)) / 2),
  convTranspose: transposed,
}

/** Whole tiles where there are more. */
const tile = 8

function partsOf(instruction: Instruction, most: number): Instruction[] {
  const rule = rules[instruction.name]?.(instruction)
  const limit = Math.max(most, rule?.least ?? 0)
  if (rule === undefined || rule.work <= limit) return [instruction]
  const y = made(instruction)
  const axis = orderOf(y).find((one) => rule.axes.includes(one) && y.shape[one] > 1)
  if (axis === undefined) return [instruction]
  const even = Math.ceil(y.shape[axis] / Math.ceil(rule.work / limit))
  const size = even > tile ? even - (even % tile) : even
  const parts: Instruction[] = []
  for (let from = 0; from < y.shape[axis]; from += size) {
    const part = rule.part(axis, from, Math.min(size, y.shape[axis] - from))
    if (part === undefined) return [instruction]
    parts.push(...partsOf(part, most))
  }
  return parts
}

/** The same program in instructions that take as long as `most` multiply-adds, where they can be cut so far. */
export function cut(code: readonly Instruction[], most: number): Instruction[] {
  const total = code.reduce((sum, one) => sum + (rules[one.name]?.(one).work ?? 0), 0)
  const parts = code.map((one) => partsOf(one, Math.max(most, total / mostParts)))
  const inAll = (from: number, instructions: number) =>
    parts.slice(from, from + instructions).reduce((sum, { length }) => sum + length, 0)
  for (const [i, { name, inputs }] of code.entries()) {
    if (name !== 'branch') continue
    const [condition, yes, no] = inputs as [View, number, number]
    parts[i] = [{ ...code[i], inputs: [condition, inAll(i + 1, yes), inAll(i + 1 + yes, no)] }]
  }
  return parts.flat()
}
