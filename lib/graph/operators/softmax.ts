/** Softmax and its logarithm, before opset 13 over all axes from one on, since then over one. */

import type { Call } from '../call.ts'
import { inStretches, Pace, type Pass, stretch } from '../pace.ts'
import { rounded } from '../rounding.ts'
import { count, type GraphTensor } from '../tensor.ts'
import { softmaxAxis } from './arguments.ts'
import { type Rows, rowOf } from './row.ts'

function* softmax(call: Call, isLog: boolean): Pass<GraphTensor> {
  const x = call.floats(0)
  const { shape } = x
  const { isOld, axis } = softmaxAxis(call, shape.length)
  const step = isOld ? 1 : count(shape.slice(axis + 1))
  const length = isOld ? count(shape.slice(axis)) : shape[axis]
  const made = call.allocate(x.type, shape)
  call.spend(2 * made.data.length)
  yield* along(x.data as Float32Array, made.data as Float32Array, length, step, isLog)
  return yield* rounded(made)
}

/** Rows of values `step` apart. */
function* along(x: Float32Array, made: Float32Array, length: number, step: number, isLog: boolean): Pass<void> {
  const pace = new Pace()
  const block = length * step
  for (let start = 0; start < made.length; start += block) {
    for (let i = start; i < start + step; i++) {
      if (length > stretch) yield* longRow(x, made, i, length, step, isLog)
      else {
        const most = mostOf(x, i, i + block, step, -Infinity)
        finish(x, made, i, i + block, step, isLog, most, sumOf(x, i, i + block, step, most, 0))
      }
      if (pace.isOver(3 * length + 4)) yield
    }
  }
}

/** The same, a part of the row at a time. */
function* longRow(x: Float32Array, made: Float32Array, start: number, length: number, step: number, isLog: boolean) {
  let [most, sum] = [-Infinity, 0]
  const inParts = (body: (from: number, to: number) => void) =>
    inStretches(length, (from, to) => body(start + from * step, start + to * step))
  yield* inParts((from, to) => {
    most = mostOf(x, from, to, step, most)
  })
  yield* inParts((from, to) => {
    sum = sumOf(x, from, to, step, most, sum)
  })
  yield* inParts((from, to) => finish(x, made, from, to, step, isLog, most, sum))
}

/** The greatest is taken off first, so that no power overflows. */
function mostOf(x: Float32Array, start: number, end: number, step: number, before: number): number {
  let most = before
  for (let i = start; i < end; i += step) most = Math.max(most, x[i])
  return most
}

function sumOf(x: Float32Array, start: number, end: number, step: number, most: number, before: number): number {
  let sum = before
  for (let i = start; i < end; i += step) sum += Math.exp(x[i] - most)
  return sum
}

function finish(
  x: Float32Array,
  made: Float32Array,
  start: number,
  end: number,
  step: number,
  isLog: boolean,
  most: number,
  sum: number,
): void {
  const log = Math.log(sum)
  for (let i = start; i < end; i += step) made[i] = isLog ? x[i] - most - log : Math.exp(x[i] - most) / sum
}

export const softmaxes: Rows = {
  Softmax: rowOf((call) => softmax(call, false), 1, 1, 'axis'),
  LogSoftmax: rowOf((call) => softmax(call, true), 1, 1, 'axis'),
}
