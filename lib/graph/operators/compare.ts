/** Operators that give truth values. */

import type { Call } from '../call.ts'
import { inStretches, type Pass } from '../pace.ts'
import type { GraphTensor } from '../tensor.ts'
import { aligned, checkAlike } from './arithmetic.ts'
import { type Rows, rowOf } from './row.ts'

function* compared(call: Call, a: GraphTensor, b: GraphTensor, of: Of): Pass<GraphTensor> {
  checkAlike(call, a, b)
  const [made, x, y] = yield* aligned(call, 'bool', a, b)
  yield* inStretches(made.data.length, (from, to) => {
    for (let i = from; i < to; i++) made.data[i] = of(x[i], y[i]) ? 1 : 0
  })
  return made
}

type Of = (a: number | bigint, b: number | bigint) => boolean | number | bigint

const two = (of: Of): Rows[string] => rowOf((call) => compared(call, call.input(0), call.input(1), of), 2, 2)

const logical = (of: Of): Rows[string] => rowOf((call) => compared(call, bools(call), call.input(1), of), 2, 2)

function bools(call: Call): GraphTensor {
  const x = call.input(0)
  return x.type === 'bool' ? x : call.fail(`${x.type} where bool belongs`)
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
  Not: rowOf((call) => compared(call, bools(call), bools(call), (a) => !a), 1, 1),
}
