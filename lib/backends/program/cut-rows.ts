/** Long rows that one instruction would take at once, as several: brought together where they do not lie so, a norm as its steps. Bits stay. */

import { count } from '../../graph/tensor.ts'
import { mapFunction, reduceKind, zipFunction } from '../protocol.ts'
import { made } from './cut-rule.ts'
import { type Instruction, isView, type Operand } from './emit.ts'
import { isDense, spread, type View, viewIn, viewOfTensor } from './views.ts'

const scratch = ({ type, shape }: View, order?: readonly number[]): View => viewIn('scratch', type, shape, order)

const copied = ({ label }: Instruction, from: View, to: View): Instruction => ({
  name: 'copy',
  inputs: [from],
  outputs: [to],
  label,
})

/** The same with operands that do not lie in rows copied before, and results after. */
export function laidRows(instruction: Instruction): Instruction[] {
  const code: Instruction[] = []
  const inputs = instruction.inputs.map((x) => {
    if (!isView(x) || isDense(x)) return x
    const own = scratch(x)
    code.push(copied(instruction, x, own))
    return own
  })
  const outputs = instruction.outputs.map((y) => (y && !isDense(y) ? scratch(y) : y))
  code.push({ ...instruction, inputs, outputs })
  for (const [i, y] of instruction.outputs.entries())
    if (y !== outputs[i]) code.push(copied(instruction, outputs[i]!, y!))
  return code
}

/** A product whose right matrices do not lie row by row: each part of it would bring them together once more. */
export function laidColumns(instruction: Instruction): Instruction[] | undefined {
  const b = instruction.inputs[2] as View
  const last = b.shape.length - 1
  if (b.shape[last] === 1 || b.strides[last] === 1) return undefined
  const once = { ...b, shape: b.shape.map((size, axis) => (b.strides[axis] === 0 ? 1 : size)) }
  const own = scratch(once)
  return [copied(instruction, once, own), { ...instruction, inputs: instruction.inputs.with(2, spread(own, b.shape)) }]
}

const sequencePlace = ({ inputs }: Instruction): number => 2 + (inputs[1] as number)

/** What a recurrent layer takes: (T, B, I). */
export const sequenceOf = (instruction: Instruction): View => instruction.inputs[sequencePlace(instruction)] as View

/** A recurrent layer whose input lies neither by time nor by rows: as its output does. */
export function laidSequence(instruction: Instruction): Instruction[] | undefined {
  const place = sequencePlace(instruction)
  const x = sequenceOf(instruction)
  const [y] = instruction.outputs
  if (isDense(x) || isDense(x, [1, 0, 2])) return undefined
  const own = scratch(x, y && !isDense(y) ? [1, 0, 2] : [0, 1, 2])
  return [copied(instruction, x, own), { ...instruction, inputs: instruction.inputs.with(place, own) }]
}

/** The sizes of what a norm makes one row of. */
export const rowOf = ({ inputs }: Instruction): readonly number[] => {
  const { shape } = inputs[2] as View
  return shape.slice(shape.length - (inputs[1] as number))
}

/** A norm of one row: its mean, what is left of each value, its deviation, each as the instruction itself makes them. */
export function longNorm(instruction: Instruction): Instruction[] {
  const [epsilon, , x, scale, bias] = instruction.inputs as [number, number, View, View | undefined, View | undefined]
  const y = made(instruction)
  const { label } = instruction
  const one = scratch({ ...x, shape: x.shape.map(() => 1) })
  const number = (value: number) =>
    spread(viewOfTensor({ type: 'float32', shape: [], data: Float32Array.of(value) }, 'float32'), one.shape)
  const emit = (name: Instruction['name'], ...operands: Operand[]): Instruction => ({
    name,
    inputs: operands.slice(0, -1),
    outputs: [operands[operands.length - 1] as View],
    label,
  })
  const zip = (kind: number, a: View, b: View, to: View) =>
    emit('zip', kind, spread(a, to.shape), spread(b, to.shape), to)
  const root = [mapFunction.sqrt, 0, 0] as const
  return [
    emit('reduce', reduceKind.mean, x, one),
    zip(zipFunction.sub, x, one, y),
    emit('reduce', reduceKind.sumSquare, y, one),
    zip(zipFunction.div, one, number(count(x.shape)), one),
    zip(zipFunction.add, one, number(epsilon), one),
    emit('map', ...root, one, one),
    zip(zipFunction.div, number(1), one, one),
    zip(zipFunction.mul, y, one, y),
    ...(scale ? [zip(zipFunction.mul, y, scale, y)] : []),
    ...(bias ? [zip(zipFunction.add, y, bias, y)] : []),
  ]
}
