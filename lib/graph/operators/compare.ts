/** Operators that give truth values. */

import type { Call } from '../call.ts'
import { inStretches, type Pass } from '../pace.ts'
import type { GraphTensor } from '../tensor.ts'
import { aligned, checkAlike } from './arithmetic.ts'
import { type Rows, rowOf } from './row.ts'

function* compared(call: Call, a: GraphTensor, of: Of): Pass<GraphTensor> {
  const b = call.input(1)
  checkAlike(call, a, b)
  const [made, x, y] = yield* aligned(call, 'bool', a, b)
  yield* inStretches(made.data.length, (from, to) => {
    for (let i = from; i < to; i++) made.data[i] = of(x[i], y[i]) ? 1 : 0
  })
  return made
}

type Of = (a: number | bigint, b: number | bigint) => boolean | number | bigint

const two = (of: Of): Rows[string] => rowOf((call) => compared(call, call.input(0), of), 2, 2)

const logical = (of: Of): Rows[string] => rowOf((call) => compared(call, bools(call), of), 2, 2)

function bools(call: Call): GraphTensor {
  const x = call.input(0)
  return x.type === 'bool' ? x : call.fail(`${x.type} where bool belongs`)
}

function* not(call: Call): Pass<GraphTensor> {
  const x = bools(call)
  const made = call.allocate('bool', x.shape)
  yield* inStretches(made.data.length, (from, to) => {
    for (let i = from; i < to; i++) made.data[i] = x.data[i] ? 0 : 1
  })
  return made
}

export const comparisons: Rows = {
  Equal: two((a, b) => a === b),
  Less: two((a, b) => a < b),
  LessOrEqual: two((a, b) => a <= b),
  Greater: two((a, b) => a > b),
  GreaterOrEqual: two((a, b) => a >= b),
  And: logical((a, b) => a && b),
  Or: logical((a, b) => a || b),
  Xor: logical((a, b) => !a !== !b),
  Not: rowOf(not, 1, 1),
}
