/** Operators that make one value of all along some axes. */

import type { Call } from '../call.ts'
import { roundTo } from '../rounding.ts'
import { transposed } from '../strides.ts'
import { factsOf, type GraphTensor } from '../tensor.ts'
import type { Rows } from './row.ts'

interface Reduction {
  readonly start: number
  readonly step: (sum: number, x: number) => number
  readonly end?: (sum: number, length: number) => number
  /** The opset from which axes are an input. */
  readonly inputSince?: number
}

function reduced(call: Call, { start, step, end, inputSince = 18 }: Reduction): GraphTensor {
  const x = call.input(0)
  const rank = x.shape.length
  if (factsOf(x.type).kind !== 'float') call.fail(`${x.type} is not supported`)
  const given = (call.opset < inputSince ? call.integers('axes') : call.numbers(1)) ?? []
  if (given.length === 0 && call.integer('noop_with_empty_axes', 0) !== 0) return x
  const axes = given.length === 0 ? x.shape.map((_, axis) => axis) : call.axes(given, rank)
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis))
  const ordered = transposed(call, x, [...kept, ...axes])
  const keepsAxes = call.integer('keepdims', 1) !== 0
  const shape = keepsAxes
    ? x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
    : kept.map((axis) => x.shape[axis])
  const made = call.allocate(x.type, shape)
  const length = made.data.length === 0 ? 0 : ordered.data.length / made.data.length
  for (let i = 0; i < made.data.length; i++) {
    let sum = start
    for (let k = i * length; k < (i + 1) * length; k++) sum = step(sum, ordered.data[k] as number)
    made.data[i] = end === undefined ? sum : end(sum, length)
  }
  roundTo(x.type, made.data)
  return made
}

const row = (reduction: Reduction): Rows[string] => ({ run: (call) => reduced(call, reduction), inputs: [1, 2] })
const add = (sum: number, x: number) => sum + x
const addSquare = (sum: number, x: number) => sum + x * x

export const reductions: Rows = {
  ReduceSum: row({ start: 0, step: add, inputSince: 13 }),
  ReduceMean: row({ start: 0, step: add, end: (sum, length) => sum / length }),
  ReduceMax: row({ start: -Infinity, step: Math.max }),
  ReduceMin: row({ start: Infinity, step: Math.min }),
  ReduceProd: row({ start: 1, step: (product, x) => product * x }),
  ReduceL1: row({ start: 0, step: (sum, x) => sum + Math.abs(x) }),
  ReduceL2: row({ start: 0, step: addSquare, end: Math.sqrt }),
  ReduceSumSquare: row({ start: 0, step: addSquare }),
}
