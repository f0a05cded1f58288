/** Operators that look for values along an axis, or take them by their place. */

import { list } from '../../errors.ts'
import type { Call } from '../call.ts'
import { roundTo } from '../rounding.ts'
import { stridesOf } from '../strides.ts'
import { count, factsOf, type GraphData, type GraphTensor, lengthOf, numberAt } from '../tensor.ts'
import type { Rows } from './row.ts'

type Value = number | bigint

/** Lines of values along an axis: how many begin beside each other, how long they are, how far their values lie apart. */
function linesOf(shape: readonly number[], axis: number): { lines: number; length: number; step: number } {
  const step = count(shape.slice(axis + 1))
  return { lines: count(shape.slice(0, axis)) * step, length: shape[axis], step }
}

/** Where line `i` begins. */
const startOf = (i: number, length: number, step: number) => Math.floor(i / step) * step * length + (i % step)

const isNan = (value: Value) => Number.isNaN(value)

function numeric(call: Call, place: number): GraphTensor {
  const tensor = call.input(place)
  return factsOf(tensor.type).kind === 'bool' ? call.fail('bools are no numbers') : tensor
}

function extreme(call: Call, isMax: boolean): GraphTensor {
  const x = numeric(call, 0)
  const axis = call.axis(call.integer('axis', 0), x.shape.length)
  const takesLast = call.flag('select_last_index')
  const keeps = call.flag('keepdims', true)
  const shape = keeps ? x.shape.map((size, i) => (i === axis ? 1 : size)) : x.shape.filter((_, i) => i !== axis)
  const made = call.allocate('int64', shape)
  const { length, step } = linesOf(x.shape, axis)
  if (length === 0 && lengthOf(made) > 0) call.fail(`the place of a value among none, along axis ${axis}`)
  call.spend(x.data.length)
  for (let line = 0; line < made.data.length; line++) {
    made.data[line] = BigInt(extremeOf(x.data, startOf(line, length, step), length, step, isMax, takesLast))
  }
  return made
}

/** NaN counts as beyond everything, as NumPy has it. */
function extremeOf(
  data: GraphData,
  start: number,
  length: number,
  step: number,
  isMax: boolean,
  takesLast: boolean,
): number {
  let found = 0
  let best: Value = data[start]
  for (let k = 1; k < length; k++) {
    const value: Value = data[start + k * step]
    const isBeyond = isMax ? value > best : value < best
    if (!(isBeyond || (takesLast && value === best) || (isNan(value) && !isNan(best)))) continue
    if (isNan(best)) continue
    best = value
    found = k
  }
  return found
}

function topK(call: Call): readonly GraphTensor[] {
  const x = numeric(call, 0)
  const axis = call.axis(call.integer('axis', -1), x.shape.length)
  const k = call.opset < 10 ? call.integer('k', -1) : call.number(1, 'k')
  const { lines, length, step } = linesOf(x.shape, axis)
  if (!(k >= 0 && k <= length)) call.fail(`the first ${k} of ${length} values`)
  const isLargest = call.flag('largest', true)
  const shape = x.shape.map((size, i) => (i === axis ? k : size))
  const [values, places] = [call.allocate(x.type, shape), call.allocate('int64', shape)]
  if (values.data.length === 0) return [values, places]
  call.spend(lines * length * (2 + Math.ceil(Math.log2(length + 1))))
  const order = call.scratch(length)
  for (let line = 0; line < lines; line++) {
    const from = startOf(line, length, step)
    const to = startOf(line, k, step)
    for (let i = 0; i < length; i++) order[i] = i
    // Equal ones by their place; NaN is the largest.
    order.sort((i, j) => {
      const [a, b]: [Value, Value] = [x.data[from + i * step], x.data[from + j * step]]
      const rank = a > b || (isNan(a) && !isNan(b)) ? 1 : a < b || (isNan(b) && !isNan(a)) ? -1 : 0
      return (isLargest ? -rank : rank) || i - j
    })
    for (let i = 0; i < k; i++) {
      values.data[to + i * step] = x.data[from + order[i] * step]
      places.data[to + i * step] = BigInt(order[i])
    }
  }
  return [values, places]
}

function oneHot(call: Call): GraphTensor {
  const indices = numeric(call, 0)
  const values = call.input(2)
  const depth = Math.trunc(call.number(1, 'depth'))
  if (values.shape.length !== 1 || values.shape[0] !== 2) call.fail('values must be one for off and one for on')
  const axis = call.axis(call.integer('axis', -1), indices.shape.length + 1)
  const made = call.allocate(values.type, [...indices.shape.slice(0, axis), depth, ...indices.shape.slice(axis)])
  if (call.isDry) return made
  made.data.fill(values.data[0] as never)
  const step = count(indices.shape.slice(axis))
  call.spend(indices.data.length)
  if (made.data.length === 0) return made
  for (let i = 0; i < indices.data.length; i++) {
    const asked = Math.trunc(numberAt(indices, i))
    const place = asked < 0 ? asked + depth : asked
    if (place >= 0 && place < depth) made.data[startOf(i, depth, step) + place * step] = values.data[1]
  }
  return made
}

function gatherElements(call: Call): GraphTensor {
  const x = call.input(0)
  const places = call.input(1)
  const { kind } = factsOf(places.type)
  if (kind !== 'integer' && kind !== 'big') call.fail(`places must be integers, got ${places.type}`)
  const rank = x.shape.length
  const axis = call.axis(call.integer('axis', 0), rank)
  if (places.shape.length !== rank || places.shape.some((size, i) => i !== axis && size > x.shape[i])) {
    call.fail(`places ${list(places.shape)} in ${list(x.shape)}`)
  }
  const made = call.allocate(x.type, places.shape)
  call.spend(rank * made.data.length)
  const [own, strides] = [stridesOf(places.shape), stridesOf(x.shape)]
  const size = x.shape[axis]
  for (let i = 0; i < made.data.length; i++) {
    const asked = numberAt(places, i)
    const place = asked < 0 ? asked + size : asked
    if (!(place >= 0 && place < size)) call.fail(`place ${asked} on axis ${axis} of ${list(x.shape)}`)
    let at = place * strides[axis]
    for (let k = 0, rest = i; k < rank; k++) {
      const index = Math.floor(rest / own[k])
      rest -= index * own[k]
      if (k !== axis) at += index * strides[k]
    }
    made.data[i] = x.data[at]
  }
  return made
}

function cumSum(call: Call): GraphTensor {
  const x = numeric(call, 0)
  const axis = call.axis(call.number(1, 'axis'), x.shape.length)
  const [isExclusive, isReverse] = [call.flag('exclusive'), call.flag('reverse')]
  const { lines, length, step } = linesOf(x.shape, axis)
  const made = call.allocate(x.type, x.shape)
  if (made.data.length === 0) return made
  const zero = factsOf(x.type).kind === 'big' ? 0n : 0
  for (let line = 0; line < lines; line++) {
    const start = startOf(line, length, step)
    let sum: Value = zero
    for (let k = 0; k < length; k++) {
      const at = start + (isReverse ? length - 1 - k : k) * step
      const before: Value = sum
      sum = ((sum as number) + (x.data[at] as number)) as Value
      made.data[at] = isExclusive ? before : sum
    }
  }
  roundTo(x.type, made.data)
  return made
}

export const selections: Rows = {
  ArgMax: { run: (call) => extreme(call, true), inputs: [1, 1], attributes: ['axis', 'keepdims', 'select_last_index'] },
  ArgMin: {
    run: (call) => extreme(call, false),
    inputs: [1, 1],
    attributes: ['axis', 'keepdims', 'select_last_index'],
  },
  TopK: { run: topK, inputs: [1, 2], attributes: ['axis', 'k', 'largest', 'sorted'] },
  OneHot: { run: oneHot, inputs: [3, 3], attributes: ['axis'] },
  GatherElements: { run: gatherElements, inputs: [2, 2], attributes: ['axis'] },
  CumSum: { run: cumSum, inputs: [2, 2], attributes: ['exclusive', 'reverse'] },
}
