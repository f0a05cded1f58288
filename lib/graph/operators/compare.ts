/** Operators that give truth values. */

import type { Call } from '../call.ts'
import { inStretches, type Pass } from '../pace.ts'
import { broadcast, expanded } from '../strides.ts'
import type { GraphTensor } from '../tensor.ts'
import type { Rows } from './row.ts'

function* compared(call: Call, isLogical: boolean, of: Of): Pass<GraphTensor> {
  const [a, b] = [call.input(0), call.input(1)]
  if (isLogical && a.type !== 'bool') call.fail(`${a.type} where bool belongs`)
  if (a.type !== b.type) call.fail(`${a.type} beside ${b.type}`)
  const shape = broadcast(call, a.shape, b.shape)
  const made = call.allocate('bool', shape)
  const x = (yield* expanded(call, a, shape)).data
  const y = (yield* expanded(call, b, shape)).data
  yield* inStretches(made.data.length, (from, to) => {
    for (let i = from; i < to; i++) made.data[i] = of(x[i], y[i]) ? 1 : 0
  })
  return made
}

type Of = (a: number | bigint, b: number | bigint) => boolean | number | bigint

const two = (of: Of, isLogical = false): Rows[string] => ({
  run: (call) => compared(call, isLogical, of),
  inputs: [2, 2],
})

function* not(call: Call): Pass<GraphTensor> {
  const x = call.input(0)
  if (x.type !== 'bool') call.fail(`${x.type} where bool belongs`)
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
  And: two((a, b) => a && b, true),
  Or: two((a, b) => a || b, true),
  Xor: two((a, b) => !a !== !b, true),
  Not: { run: not, inputs: [1, 1] },
}
