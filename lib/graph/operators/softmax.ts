/** Softmax and its logarithm, before opset 13 over all axes from one on, since then over one. */

import type { Call } from '../call.ts'
import { roundTo } from '../rounding.ts'
import { count, type GraphTensor } from '../tensor.ts'
import type { Rows } from './row.ts'

function softmax(call: Call, isLog: boolean): GraphTensor {
  const x = call.floats(0)
  const { shape } = x
  const isOld = call.opset < 13
  const asked = call.integer('axis', isOld ? 1 : -1)
  // Flattened before the axis: one behind the last leaves rows of a single value.
  const axis = isOld && asked === shape.length ? asked : call.axis(asked, shape.length)
  const step = isOld ? 1 : count(shape.slice(axis + 1))
  const length = isOld ? count(shape.slice(axis)) : shape[axis]
  const made = call.allocate(x.type, shape)
  call.spend(2 * made.data.length)
  const block = length * step
  for (let start = 0; start < made.data.length; start += block) {
    for (let i = start; i < start + step; i++)
      along(x.data as Float32Array, made.data as Float32Array, i, length, step, isLog)
  }
  roundTo(x.type, made.data)
  return made
}

/** One row of values `step` apart. The greatest is taken off first, so that no power overflows. */
function along(x: Float32Array, made: Float32Array, start: number, length: number, step: number, isLog: boolean): void {
  const end = start + length * step
  let most = -Infinity
  for (let i = start; i < end; i += step) most = Math.max(most, x[i])
  let sum = 0
  for (let i = start; i < end; i += step) sum += Math.exp(x[i] - most)
  const log = Math.log(sum)
  for (let i = start; i < end; i += step) made[i] = isLog ? x[i] - most - log : Math.exp(x[i] - most) / sum
}

export const softmaxes: Rows = {
  Softmax: { run: (call) => softmax(call, false), inputs: [1, 1], attributes: ['axis'] },
  LogSoftmax: { run: (call) => softmax(call, true), inputs: [1, 1], attributes: ['axis'] },
}
