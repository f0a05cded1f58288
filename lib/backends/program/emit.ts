/** Instructions of a program before they are numbers, and the numbers; it alone knows how an instruction is encoded. */

import { axesOf } from '../../graph/tensor.ts'
import { elementNumber, opcode, regionNumber } from '../protocol.ts'
import { elementBytes, extentOf, type Memory, orderOf, type View } from './views.ts'

export type Operand = number | View | undefined

/** Outputs stand behind all inputs; undefined is one that is left out. */
export interface Instruction {
  readonly name: keyof typeof opcode
  readonly inputs: Operand[]
  readonly outputs: readonly (View | undefined)[]
  /** The step that it belongs to. */
  readonly label: string
}

/** The most axes of a view. */
export const mostAxes = 8

export const isView = (operand: Operand): operand is View => typeof operand === 'object'

/** What computes each value from the values at its own place, so that it may write over what it reads. */
const pointwise: ReadonlySet<string> = new Set(['map', 'zip', 'where', 'softmax', 'norm'])
export const isPointwise = ({ name }: Instruction) => pointwise.has(name)

/** These walk over all axes alike. */
const anyAxes: ReadonlySet<string> = new Set(['copy', 'cast', 'fill', 'map', 'zip', 'where'])

/** Views of one shape with the fewest axes that say the same, in the order of the last one's memory. */
export function merged(views: readonly View[]): View[] {
  return joined(views, orderOf(views[views.length - 1]))
}

/** Views with their axes in this order, and those in one that may be; axes are not joined across `kinds`, where those are given. */
export function joined(views: readonly View[], given: readonly number[], kinds?: readonly unknown[]): View[] {
  const order = given.filter((axis) => views.some(({ shape }) => shape[axis] !== 1))
  const groups: number[][] = []
  for (const axis of order) {
    const group = groups[groups.length - 1]
    const before = group?.[group.length - 1]
    const joins =
      group !== undefined &&
      kinds?.[before] === kinds?.[axis] &&
      views.every(({ shape, strides }) => shape[axis] === 1 || strides[before] === strides[axis] * shape[axis])
    if (joins) group.push(axis)
    else groups.push([axis])
  }
  return views.map((view) => ({
    ...view,
    shape: groups.map((group) => group.reduce((size, axis) => size * view.shape[axis], 1)),
    strides: groups.map((group) => view.strides[group[group.length - 1]]),
  }))
}

/** The code with each instruction replaced by those at its place; a branch counts what its sides have become. */
export function replaced(code: readonly Instruction[], parts: readonly (readonly Instruction[])[]): Instruction[] {
  const inAll = (from: number, count: number) => parts.slice(from, from + count).flat().length
  return code.flatMap((instruction, i) => {
    if (instruction.name !== 'branch') return parts[i]
    const [condition, yes, no] = instruction.inputs as [View, number, number]
    return { ...instruction, inputs: [condition, inAll(i + 1, yes), inAll(i + 1 + yes, no)] }
  })
}

/** All views of an instruction. */
export function viewsOf({ inputs, outputs }: Instruction): View[] {
  return [...inputs, ...outputs].filter(isView)
}

/** The memory that one lies in, when all that was found to be a part of another is, and where in it. */
export function placeOf(memory: Memory): { memory: Memory; bytes: number } {
  let bytes = 0
  let root = memory
  while (root.within) {
    bytes += root.within.bytes
    root = root.within.memory
  }
  return { memory: root, bytes }
}

/** Bytes of a view in the memory that it lies in. */
export function spanOf(view: View): { memory: Memory; first: number; end: number } {
  const { memory, bytes } = placeOf(view.memory)
  const [first, end] = extentOf(view)
  return { memory, first: first + bytes, end: end + bytes }
}

/** `fail` gets the step's label where a view has more axes than there can be. */
export function encode(
  code: readonly Instruction[],
  ioBytes: number,
  scratchBytes: number,
  fail: (label: string, what: string) => never,
): Float64Array {
  const numbers = [ioBytes, scratchBytes, code.length]
  for (const instruction of code) {
    const operands = [...instruction.inputs, ...instruction.outputs]
    const views = anyAxes.has(instruction.name) ? merged(operands.filter(isView)) : undefined
    const encoded = operands.flatMap((one) => {
      if (one === undefined) return [-1]
      if (!isView(one)) return [one]
      const view = views === undefined ? one : views.shift()!
      if (view.shape.length > mostAxes) fail(instruction.label, `${view.shape.length} axes that do not lie together`)
      return encodeView(view)
    })
    numbers.push(opcode[instruction.name], encoded.length, ...encoded)
  }
  return Float64Array.from(numbers)
}

function encodeView({ memory, type, start, shape, strides }: View): number[] {
  const { memory: root, bytes } = placeOf(memory)
  const offset = root.offset + bytes + start * elementBytes[type]
  const axes = axesOf(shape).flatMap((axis) => [shape[axis], strides[axis]])
  return [elementNumber[type], regionNumber[root.region], offset, shape.length, ...axes]
}
