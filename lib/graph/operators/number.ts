/** Arithmetic whose integers and floating-point numbers follow different rules: remainders, powers, sums of many operands. */

import type { Call, Operator } from '../call.ts'
import { inStretches, type Pass } from '../pace.ts'
import { rounded } from '../rounding.ts'
import { broadcast, expanded } from '../strides.ts'
import { type GraphTensor, kindOf } from '../tensor.ts'
import { allFloats } from './arguments.ts'
import { aligned, applied, type Binary, checkDivisor } from './arithmetic.ts'
import { type Rows, rowOf, unbounded } from './row.ts'

/** C's remainder has the sign of what is divided, and Python's, which only integers have, that of the divisor. */
const remainder: Binary = {
  number: (a, b) => a % b,
  big: (a, b) => (b === 0n ? 0n : a % b),
  integer: (a, b) => (b === 0 ? 0 : a % b),
}
const modulo: Binary = {
  number: (a, b) => (b === 0 ? 0 : ((a % b) + b) % b),
  big: (a, b) => (b === 0n ? 0n : ((a % b) + b) % b),
}

const mod: Operator = (call) => {
  const [x, y] = [call.input(0), call.input(1)]
  const isFloat = kindOf(x.type) === 'float'
  const isFmod = call.flag('fmod')
  if (isFloat && !isFmod) call.fail('floating-point values have no remainder but with fmod 1')
  checkDivisor(call, y)
  return applied(call, isFmod ? remainder : modulo, x, y)
}

/** A power of 64-bit integers, which wraps, as one with small integers does. */
function bigPower(base: bigint, exponent: number): bigint {
  if (!(Number.isSafeInteger(exponent) && exponent >= 0)) {
    const value = Number(base) ** exponent
    return Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n
  }
  let result = 1n
  for (let rest = exponent, square = base; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = BigInt.asIntN(64, result * square)
    square = BigInt.asIntN(64, square * square)
  }
  return result
}

const smallPower = (base: number, exponent: number) => base ** exponent

/** The exponent may be of another type than the base, whose type the result has. */
function* power(call: Call): Pass<GraphTensor> {
  const [base, exponent] = [call.input(0), call.input(1)]
  const kind = kindOf(base.type)
  if (kind === 'bool' || kindOf(exponent.type) === 'bool') call.fail('bools are no numbers')
  const [made, x, y] = yield* aligned(call, base.type, base, exponent)
  const { data } = made
  const of = (kind === 'big' ? bigPower : smallPower) as (base: unknown, exponent: number) => number
  yield* inStretches(
    data.length,
    (from, to) => {
      for (let i = from; i < to; i++) data[i] = of(x[i], Number(y[i]))
    },
    4,
  )
  return yield* rounded(made)
}

/** The sum is rounded once, whatever the number of operands. */
function* sum(call: Call, isMean: boolean): Pass<GraphTensor> {
  const parts = allFloats(call)
  const shape = broadcast(call, ...parts.map((part) => part.shape))
  const made = call.allocate(parts[0].type, shape)
  const sums = call.scratch(made.data.length)
  for (const part of parts) {
    // One at a time: many small ones may be laid over a large one.
    const { data } = yield* expanded(call, part, shape)
    yield* inStretches(sums.length, (from, to) => {
      for (let i = from; i < to; i++) sums[i] += data[i] as number
    })
    call.spend(sums.length)
  }
  const divisor = isMean ? parts.length : 1
  yield* inStretches(sums.length, (from, to) => {
    for (let i = from; i < to; i++) made.data[i] = sums[i] / divisor
  })
  return yield* rounded(made)
}

export const numbers: Rows = {
  Mod: rowOf(mod, 2, 2, 'fmod'),
  Pow: rowOf(power, 2, 2),
  Sum: rowOf((call) => sum(call, false), 1, unbounded),
  Mean: rowOf((call) => sum(call, true), 1, unbounded),
}
