/** Operators that look for values along an axis, or take them by their place. */

import { list } from '../../errors.ts'
import { sameShape } from '../../tensor/shape.ts'
import type { Call } from '../call.ts'
import { inStretches, Pace, type Pass, rowByRow } from '../pace.ts'
import { rounded } from '../rounding.ts'
import { stridesOf } from '../strides.ts'
import { count, type GraphData, type GraphTensor, kindOf, lengthOf, numberAt } from '../tensor.ts'
import { blocksOf, placeAt, placesOf, topCount } from './arguments.ts'
import { type Rows, rowOf } from './row.ts'

type Value = number | bigint

/** Where line `i` begins. */
const startOf = (i: number, length: number, step: number) => Math.floor(i / step) * step * length + (i % step)

const isNan = (value: Value) => Number.isNaN(value)

function numeric(call: Call, place: number): GraphTensor {
  const tensor = call.input(place)
  return kindOf(tensor.type) === 'bool' ? call.fail('bools are no numbers') : tensor
}

function* extreme(call: Call, isMax: boolean): Pass<GraphTensor> {
  const x = numeric(call, 0)
  const axis = call.axisOf(0, x.shape.length)
  const takesLast = call.flag('select_last_index')
  const keeps = call.flag('keepdims', true)
  const shape = keeps ? x.shape.with(axis, 1) : x.shape.toSpliced(axis, 1)
  const made = call.allocate('int64', shape)
  const { length, step } = blocksOf(x.shape, axis)
  if (length === 0 && lengthOf(made) > 0) call.fail(`the place of a value among none, along axis ${axis}`)
  call.spend(x.data.length)
  let found = 0
  yield* rowByRow(made.data.length, length, (line, from, to) => {
    const start = startOf(line, length, step)
    found = extremeOf(x.data, start, from === 0 ? 0 : found, from, to, step, isMax, takesLast)
    if (to === length) made.data[line] = BigInt(found)
  })
  return made
}

/** Among values from … to, and what was found before. NaN counts as beyond everything, as NumPy has it. */
function extremeOf(
  data: GraphData,
  start: number,
  before: number,
  from: number,
  to: number,
  step: number,
  isMax: boolean,
  takesLast: boolean,
): number {
  let found = before
  let best: Value = data[start + before * step]
  for (let k = from; k < to; k++) {
    const value: Value = data[start + k * step]
    const isBeyond = isMax ? value > best : value < best
    if (!(isBeyond || (takesLast && value === best) || isNan(value)) || isNan(best)) continue
    best = value
    found = k
  }
  return found
}

function* topK(call: Call): Pass<readonly GraphTensor[]> {
  const x = numeric(call, 0)
  const axis = call.axisOf(-1, x.shape.length)
  const k = topCount(call)
  const { rows, length, step } = blocksOf(x.shape, axis)
  const lines = rows * step
  if (!(k >= 0 && k <= length)) call.fail(`the first ${k} of ${length} values`)
  const isLargest = call.flag('largest', true)
  const shape = x.shape.with(axis, k)
  const [values, places] = [call.allocate(x.type, shape), call.allocate('int64', shape)]
  if (values.data.length === 0) return [values, places]
  call.spend(lines * length * (2 + Math.ceil(Math.log2(length + 1))))
  const buffers = [call.scratch(length), call.scratch(length > sortedPart ? length : 0)]
  const pace = new Pace()
  for (let line = 0; line < lines; line++) {
    const from = startOf(line, length, step)
    const to = startOf(line, k, step)
    // Equal ones by their place; NaN is the largest.
    const compare = (i: number, j: number) => {
      const [a, b]: [Value, Value] = [x.data[from + i * step], x.data[from + j * step]]
      const rank = a > b || (isNan(a) && !isNan(b)) ? 1 : a < b || (isNan(b) && !isNan(a)) ? -1 : 0
      return (isLargest ? -rank : rank) || i - j
    }
    const order =
      length > sortedPart ? yield* firstOf(k, length, compare, buffers) : sorted(buffers[0], 0, length, compare)
    for (let i = 0; i < k; i++) {
      values.data[to + i * step] = x.data[from + order[i] * step]
      places.data[to + i * step] = BigInt(order[i])
      if (pace.isOver(4)) yield
    }
    if (pace.isOver(8 * length)) yield
  }
  return [values, places]
}

/** What is sorted at once. */
const sortedPart = 2 ** 10

function sorted(order: Float64Array, begin: number, end: number, compare: (i: number, j: number) => number) {
  for (let i = begin; i < end; i++) order[i] = i
  order.subarray(begin, end).sort(compare)
  return order
}

/** The first k of the places below `length` in an order: parts are sorted, and then merged two and two. */
function* firstOf(
  k: number,
  length: number,
  compare: (i: number, j: number) => number,
  [order, other]: readonly Float64Array[],
): Pass<Float64Array> {
  for (let begin = 0; begin < length; begin += sortedPart) {
    if (begin > 0) yield
    const end = Math.min(begin + sortedPart, length)
    sorted(order, begin, end, compare)
  }
  const pace = new Pace()
  let [from, to] = [order, other]
  for (let width = sortedPart; width < length; width *= 2) {
    for (let begin = 0; begin < length; begin += 2 * width) {
      const middle = Math.min(begin + width, length)
      const ends = [Math.min(middle, begin + k), Math.min(length, middle + Math.min(width, k))]
      const made = begin + Math.min(k, 2 * width, length - begin)
      for (let next = begin, left = begin, right = middle; next < made; next++) {
        const takesLeft = right === ends[1] || (left < ends[0] && compare(from[left], from[right]) < 0)
        to[next] = takesLeft ? from[left++] : from[right++]
        if (pace.isOver(8)) yield
      }
    }
    ;[from, to] = [to, from]
  }
  return from
}

function* oneHot(call: Call): Pass<GraphTensor> {
  const indices = numeric(call, 0)
  const values = call.input(2)
  const depth = Math.trunc(call.number(1, 'depth'))
  if (!sameShape(values.shape, [2])) call.fail('values must be one for off and one for on')
  const axis = call.axisOf(-1, indices.shape.length + 1)
  const made = call.allocate(values.type, [...indices.shape.slice(0, axis), depth, ...indices.shape.slice(axis)])
  if (call.isDry) return made
  yield* inStretches(made.data.length, (from, to) => made.data.fill(values.data[0] as never, from, to))
  const step = count(indices.shape.slice(axis))
  call.spend(indices.data.length)
  if (made.data.length === 0) return made
  yield* inStretches(indices.data.length, (from, to) => {
    for (let i = from; i < to; i++) {
      const asked = Math.trunc(numberAt(indices, i))
      const place = asked < 0 ? asked + depth : asked
      if (place >= 0 && place < depth) made.data[startOf(i, depth, step) + place * step] = values.data[1]
    }
  })
  return made
}

function* gatherElements(call: Call): Pass<GraphTensor> {
  const x = call.input(0)
  const places = placesOf(call)
  const rank = x.shape.length
  const axis = call.axisOf(0, rank)
  if (places.shape.length !== rank || places.shape.some((size, i) => i !== axis && size > x.shape[i])) {
    call.fail(`places ${list(places.shape)} in ${list(x.shape)}`)
  }
  const made = call.allocate(x.type, places.shape)
  call.spend(rank * made.data.length)
  const [own, strides] = [stridesOf(places.shape), stridesOf(x.shape)]
  const pace = new Pace()
  for (let i = 0; i < made.data.length; i++) {
    if (pace.isOver(2)) yield
    let at = placeAt(call, places, i, axis, x.shape) * strides[axis]
    for (let k = 0, rest = i; k < rank; k++) {
      const index = Math.floor(rest / own[k])
      rest -= index * own[k]
      if (k !== axis) at += index * strides[k]
    }
    made.data[i] = x.data[at]
  }
  return made
}

function* cumSum(call: Call): Pass<GraphTensor> {
  const x = numeric(call, 0)
  const axis = call.axis(call.number(1, 'axis'), x.shape.length)
  const [isExclusive, isReverse] = [call.flag('exclusive'), call.flag('reverse')]
  const { rows, length, step } = blocksOf(x.shape, axis)
  const lines = rows * step
  const made = call.allocate(x.type, x.shape)
  if (made.data.length === 0) return made
  const zero = kindOf(x.type) === 'big' ? 0n : 0
  let kept: Value = zero
  yield* rowByRow(lines, length, (line, from, to) => {
    const first = startOf(line, length, step) + (isReverse ? length - 1 - from : from) * step
    kept = summed(x.data, made.data, first, isReverse ? -step : step, to - from, from === 0 ? zero : kept, isExclusive)
  })
  return yield* rounded(made)
}

/** Running sums of so many values, after those that came before; gives the last one. */
function summed(
  x: GraphData,
  made: GraphData,
  first: number,
  step: number,
  count: number,
  before: Value,
  isExclusive: boolean,
): Value {
  let sum = before
  for (let k = 0, at = first; k < count; k++, at += step) {
    const last: Value = sum
    sum = ((sum as number) + (x[at] as number)) as Value
    made[at] = isExclusive ? last : sum
  }
  return sum
}

export const selections: Rows = {
  ArgMax: rowOf((call) => extreme(call, true), 1, 1, 'axis keepdims select_last_index'),
  ArgMin: rowOf((call) => extreme(call, false), 1, 1, 'axis keepdims select_last_index'),
  TopK: rowOf(topK, 1, 2, 'axis k largest sorted'),
  OneHot: rowOf(oneHot, 3, 3, 'axis'),
  GatherElements: rowOf(gatherElements, 2, 2, 'axis'),
  CumSum: rowOf(cumSum, 2, 2, 'exclusive reverse'),
}
