/** Operators that compute each value of its own place: one, two or many operands, broadcast to one shape. */

import type { Call, Operator } from '../call.ts'
import { inStretches, type Pass } from '../pace.ts'
import { rounded } from '../rounding.ts'
import { broadcast, expanded } from '../strides.ts'
import { type ElementType, type GraphData, type GraphTensor, kindOf } from '../tensor.ts'
import { oneValue } from './arguments.ts'
import { type Rows, rowOf, unbounded } from './row.ts'

export interface Binary {
  readonly number: (a: number, b: number) => number
  /** Of int64 and uint64, which wrap. */
  readonly big: (a: bigint, b: bigint) => bigint
  /** Of smaller integers, where it is not `number`, cut off to an integer. */
  readonly integer?: (a: number, b: number) => number
}

/** What operands broadcast to: a tensor to be filled, and for each of them its values there. */
export function* aligned(
  call: Call,
  type: ElementType,
  ...operands: readonly GraphTensor[]
): Pass<readonly [GraphTensor, ...GraphData[]]> {
  const shape = broadcast(call, ...operands.map((one) => one.shape))
  const made = call.allocate(type, shape)
  const values: GraphData[] = []
  for (const one of operands) values.push((yield* expanded(call, one, shape)).data)
  return [made, ...values]
}

export function* applied(
  call: Call,
  { number, big, integer = number }: Binary,
  a: GraphTensor,
  b: GraphTensor,
): Pass<GraphTensor> {
  checkAlike(call, a, b)
  const [made, x, y] = yield* aligned(call, a.type, a, b)
  const { data } = made
  const kind = kindOf(a.type)
  if (kind === 'bool') call.fail('bools are no numbers')
  const of = (kind === 'big' ? big : kind === 'float' ? number : integer) as (a: unknown, b: unknown) => number
  yield* inStretches(data.length, (from, to) => {
    for (let i = from; i < to; i++) data[i] = of(x[i], y[i])
  })
  return yield* rounded(made)
}

/** Two operands have one type. */
export function checkAlike(call: Call, a: GraphTensor, b: GraphTensor): void {
  if (a.type !== b.type) call.fail(`${a.type} beside ${b.type}`)
}

const two = (row: Binary): Rows[string] => rowOf((call) => applied(call, row, call.input(0), call.input(1)), 2, 2)

/** Min and Max take any number of operands. */
const many = (row: Binary): Rows[string] =>
  rowOf(
    function* (call) {
      let made = call.input(0)
      for (let i = 1; i < call.inputs.length; i++) made = yield* applied(call, row, made, call.input(i))
      return made
    },
    1,
    unbounded,
  )

const divide: Operator = (call) => {
  const divisor = call.input(1)
  checkDivisor(call, divisor)
  return applied(call, quotient, call.input(0), divisor)
}

const quotient: Binary = {
  number: (a, b) => a / b,
  big: (a, b) => (b === 0n ? 0n : a / b),
  integer: (a, b) => (b === 0 ? 0 : Math.trunc(a / b)),
}

/** A constant of a file that is divided by 0 is none. */
export function checkDivisor(call: Call, { type, data }: GraphTensor): void {
  if (call.node.isStep || kindOf(type) === 'float') return
  if (data.some((value: number | bigint) => !value)) call.fail('an integer is divided by 0')
}

export function* mapped(call: Call, number: (x: number) => number, big?: (x: bigint) => bigint): Pass<GraphTensor> {
  const x = call.input(0)
  const kind = kindOf(x.type)
  if (kind === 'bool' || (kind === 'big' && big === undefined)) call.unsupported(`${x.type} is not supported`)
  const made = call.allocate(x.type, x.shape)
  const of = (kind === 'big' ? big : number) as (x: number | bigint) => number | bigint
  const [values, data] = [x.data, made.data]
  yield* inStretches(data.length, (from, to) => {
    for (let i = from; i < to; i++) data[i] = of(values[i])
  })
  return yield* rounded(made)
}

const one = (number: (x: number) => number, big?: (x: bigint) => bigint): Rows[string] =>
  rowOf((call) => mapped(call, number, big), 1, 1)

const clip: Operator = (call) => {
  const { type } = call.input(0)
  const isFloat = kindOf(type) === 'float'
  const bound = (place: number, name: string, otherwise: number) =>
    oneValue(call, place, name, type) ??
    ((isFloat ? call.attribute(name) : undefined) as number | undefined) ??
    otherwise
  const [least, most] = [bound(1, 'min', -Infinity), bound(2, 'max', Infinity)]
  return mapped(
    call,
    (x) => Math.min(Math.max(x, Number(least)), Number(most)),
    (x) => {
      const above = x < least ? BigInt(least) : x
      return above > most ? BigInt(most) : above
    },
  )
}

export const arithmetic: Rows = {
  Add: two({ number: (a, b) => a + b, big: (a, b) => a + b }),
  Sub: two({ number: (a, b) => a - b, big: (a, b) => a - b }),
  Mul: two({ number: (a, b) => a * b, big: (a, b) => a * b, integer: Math.imul }),
  Div: rowOf(divide, 2, 2),
  Min: many({ number: Math.min, big: (a, b) => (a < b ? a : b) }),
  Max: many({ number: Math.max, big: (a, b) => (a > b ? a : b) }),
  Clip: rowOf(clip, 1, 3, 'min max'),
  Neg: one(
    (x) => -x,
    (x) => -x,
  ),
  Abs: one(Math.abs, (x) => (x < 0n ? -x : x)),
  Sign: one(Math.sign, (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n)),
  Relu: one(
    (x) => Math.max(0, x),
    (x) => (x > 0n ? x : 0n),
  ),
}
