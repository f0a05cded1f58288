/** How an instruction can be cut, and what it is told by: what it makes, its values, the runs that they come in. */

import { count } from '../../graph/tensor.ts'
import { type Instruction, isView, merged, type Operand, viewsOf } from './emit.ts'
import { sliced, type View } from './views.ts'

export interface Divisible {
  /** About as many multiply-adds take as long. */
  readonly work: number
  /** Parts that take less than that are not worth it. */
  readonly least?: number
  /** Axes of what it makes along which parts know nothing of each other. */
  readonly axes: readonly number[]
  /** The smallest part along an axis, 1 where it is left out. */
  fewest?(axis: number): number
  /** What makes `size` values along an axis, from one on; undefined where these have no instruction of their own. */
  part(axis: number, from: number, size: number): Instruction | undefined
  /** Other instructions that do the same; undefined where there are none. They are for what no axis divides, or come first. */
  instead?(): Instruction[] | undefined
  readonly isInsteadFirst?: boolean
}

export type Rule = (instruction: Instruction) => Divisible

export const made = ({ outputs }: Instruction): View => outputs.find((view) => view !== undefined)!

export const sizeOf = ({ shape }: View): number => count(shape)

/** What walks over all axes alike does so in runs: how many. */
export function runsOf(instruction: Instruction): number {
  const { shape } = merged(viewsOf(instruction))[0]
  return count(shape.slice(0, -1))
}

/** The axis of an operand that goes with one of the result; −1 where all of the operand belongs to each part. */
export type Follow = (view: View, axis: number, place: number) => number

/** Inputs and outputs sliced, each along its own axis. */
export const sliceOf =
  (instruction: Instruction, follow: Follow = (_, axis) => axis) =>
  (axis: number, from: number, size: number): Instruction => {
    const slice = (operand: Operand, place: number) => {
      const own = isView(operand) ? follow(operand, axis, place) : -1
      return own < 0 ? operand : sliced(operand as View, own, from, size)
    }
    const outputs = instruction.outputs.map((view) => view && sliced(view, axis, from, size))
    return { ...instruction, inputs: instruction.inputs.map(slice), outputs }
  }
