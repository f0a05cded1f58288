/** Products of matrices. */

import { list } from '../../errors.ts'
import type { Call } from '../call.ts'
import { roundTo } from '../rounding.ts'
import { broadcast, expanded } from '../strides.ts'
import { count, factsOf, type GraphTensor } from '../tensor.ts'
import type { Rows } from './row.ts'

function matMul(call: Call): GraphTensor {
  const [x, y] = [call.input(0), call.input(1)]
  if (x.type !== y.type || factsOf(x.type).kind !== 'float') call.fail(`${x.type} times ${y.type} is not supported`)
  if (x.shape.length === 0 || y.shape.length === 0) call.fail('a number is no matrix')
  // A vector is a row on the left, a column on the right, and its axis of 1 is taken off again.
  const left = x.shape.length === 1 ? [1, ...x.shape] : x.shape
  const right = y.shape.length === 1 ? [...y.shape, 1] : y.shape
  const [M, K, N] = [left.at(-2)!, left.at(-1)!, right.at(-1)!]
  if (right.at(-2) !== K) call.fail(`${list(x.shape)} times ${list(y.shape)}`)
  const batch = broadcast(call, left.slice(0, -2), right.slice(0, -2))
  const a = expanded(call, call.view(x, left), [...batch, M, K]).data as Float32Array
  const b = expanded(call, call.view(y, right), [...batch, K, N]).data as Float32Array
  const shape = [...batch, ...(x.shape.length === 1 ? [] : [M]), ...(y.shape.length === 1 ? [] : [N])]
  const made = call.allocate(x.type, shape)
  call.budget.spend(made.data.length * K, call.node.fail)
  const matrices = made.data.length === 0 ? 0 : count(batch)
  for (let at = 0; at < matrices * M * N; at++) {
    const column = at % N
    const row = (at - column) / N
    const from = Math.floor(row / M) * K * N + column
    let sum = 0
    for (let k = 0; k < K; k++) sum += a[row * K + k] * b[from + k * N]
    made.data[at] = sum
  }
  roundTo(x.type, made.data)
  return made
}

export const products: Rows = { MatMul: { run: matMul, inputs: [2, 2] } }
