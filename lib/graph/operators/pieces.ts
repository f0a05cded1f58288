/** Operators that take tensors apart and put them together. */

import { list } from '../../errors.ts'
import type { Call } from '../call.ts'
import { inStretches, Pace, type Pass, rowByRow, stretch } from '../pace.ts'
import { gathered, stridesOf } from '../strides.ts'
import { type GraphData, type GraphTensor, kindOf } from '../tensor.ts'
import { blocksOf, placeAt, placesOf, sliceOf, splitSizes } from './arguments.ts'
import { aligned } from './arithmetic.ts'
import { type Rows, rowOf, unbounded } from './row.ts'

function slice(call: Call): Pass<GraphTensor> {
  const x = call.input(0)
  const { starts, ends, axes, steps } = sliceOf(call, x.shape.length)
  if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length) {
    call.fail(`${starts.length} starts, ${ends.length} ends, ${axes.length} axes and ${steps.length} steps`)
  }
  const shape = [...x.shape]
  const strides = stridesOf(x.shape)
  let first = 0
  for (const [i, axis] of axes.entries()) {
    const size = x.shape[axis]
    const step = steps[i]
    if (step === 0) call.fail('a step of 0')
    // Backwards a slice begins at the first value at the lowest, and ends before it.
    const lowest = step > 0 ? 0 : -1
    const bound = (value: number, least: number) =>
      Math.min(Math.max(value < 0 ? value + size : value, least), size + lowest)
    const start = bound(starts[i], 0)
    shape[axis] = Math.max(0, Math.ceil((bound(ends[i], lowest) - start) / step))
    first += start * strides[axis]
    strides[axis] *= step
  }
  return gathered(call, x, shape, strides, first)
}

function* concat(call: Call): Pass<GraphTensor> {
  const parts = call.inputs.map((_, i) => call.input(i))
  const [first] = parts
  const axis = call.axis(
    call.integer('axis', call.opset < 4 ? 1 : undefined) ?? call.fail('axis is missing'),
    first.shape.length,
  )
  const shape = [...first.shape]
  shape[axis] = 0
  for (const part of parts) {
    if (part.type !== first.type) call.fail(`${first.type} beside ${part.type}`)
    if (part.shape.length !== shape.length || part.shape.some((size, i) => i !== axis && size !== shape[i])) {
      call.fail(`${list(part.shape)} beside ${list(first.shape)} along axis ${axis}`)
    }
    shape[axis] += part.shape[axis]
  }
  const made = call.allocate(first.type, shape)
  if (call.isDry) return made
  const { rows, step } = blocksOf(shape, axis)
  call.spend(parts.length * Math.min(rows, made.data.length))
  let offset = 0
  for (const part of parts) {
    const length = part.shape[axis] * step
    if (length === 0) continue
    const at = offset
    yield* rowByRow(rows, length, (row, from, to) => {
      const values = part.data.subarray(row * length + from, row * length + to)
      made.data.set(values as never, at + row * shape[axis] * step + from)
    })
    offset += length
  }
  return made
}

function* split(call: Call): Pass<GraphTensor[]> {
  const x = call.input(0)
  const axis = call.axisOf(0, x.shape.length)
  const outputs = call.node.outputs.length
  const size = x.shape[axis]
  const given = call.inputs[1]
  if (call.integer('num_outputs', outputs) !== outputs) call.fail(`num_outputs is not ${outputs}`)
  if (given && (given.shape.length !== 1 || kindOf(given.type) === 'float'))
    call.fail('split must be integers of rank 1')
  const wanted = splitSizes(call, size)
  if (
    wanted.length !== outputs ||
    wanted.some((part) => !(part >= 0 && part % 1 === 0)) ||
    wanted.reduce((a, b) => a + b, 0) !== size
  ) {
    call.fail(`axis ${axis} of ${list(x.shape)} does not split into ${outputs} parts as asked for`)
  }
  const strides = stridesOf(x.shape)
  let start = 0
  const made: GraphTensor[] = []
  for (const part of wanted) {
    made.push(yield* gathered(call, x, x.shape.with(axis, part), strides, start * strides[axis]))
    start += part
  }
  return made
}

function* gather(call: Call): Pass<GraphTensor> {
  const x = call.input(0)
  const places = placesOf(call)
  const axis = call.axisOf(0, x.shape.length)
  const size = x.shape[axis]
  const made = call.allocate(x.type, [...x.shape.slice(0, axis), ...places.shape, ...x.shape.slice(axis + 1)])
  const { rows, step } = blocksOf(x.shape, axis)
  const { length } = places.data
  if (made.data.length === 0) return made
  call.spend(rows * length)
  const pace = new Pace()
  for (let i = 0; i < length; i++) {
    const place = placeAt(call, places, i, axis, x.shape)
    // Short moves at once.
    if (rows * step <= stretch) move(x.data, place * step, size * step, made.data, i * step, length * step, rows, step)
    else {
      yield* rowByRow(rows, step, (row, from, to) => {
        const start = (row * size + place) * step + from
        move(x.data, start, 0, made.data, (row * length + i) * step + from, 0, 1, to - from)
      })
    }
    if (pace.isOver(rows * step + 4)) yield
  }
  return made
}

/** Rows of `step` values from one array to another. */
function move(
  from: GraphData,
  start: number,
  rowStep: number,
  to: GraphData,
  next: number,
  nextStep: number,
  rows: number,
  step: number,
): void {
  for (let row = 0, at = start, k = next; row < rows; row++, at += rowStep, k += nextStep) {
    if (step === 1) to[k] = from[at]
    else to.set(from.subarray(at, at + step) as never, k)
  }
}

function* where(call: Call): Pass<GraphTensor> {
  const [condition, x, y] = [call.input(0), call.input(1), call.input(2)]
  if (condition.type !== 'bool' || x.type !== y.type) call.fail(`${condition.type} chooses of ${x.type} and ${y.type}`)
  const [made, chosen, yes, no] = yield* aligned(call, x.type, condition, x, y)
  yield* inStretches(made.data.length, (from, to) => {
    for (let i = from; i < to; i++) made.data[i] = chosen[i] ? yes[i] : no[i]
  })
  return made
}

export const pieces: Rows = {
  Slice: rowOf(slice, 1, 5, 'starts ends axes'),
  Concat: rowOf(concat, 1, unbounded, 'axis'),
  Split: rowOf(split, 1, 2, 'axis split num_outputs'),
  Gather: rowOf(gather, 2, 2, 'axis'),
  Where: rowOf(where, 3, 3),
}
