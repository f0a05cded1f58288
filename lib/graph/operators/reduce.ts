/** Operators that make one value of all along some axes. */

import type { Call } from '../call.ts'
import { inStretches, type Pass, rowByRow, stretch } from '../pace.ts'
import { rounded } from '../rounding.ts'
import { transposed } from '../strides.ts'
import { axesOf, type GraphData, type GraphTensor, kindOf, lengthOf } from '../tensor.ts'
import { reducedAxes } from './arguments.ts'
import { type Rows, rowOf } from './row.ts'

export interface Reduction {
  /** What there is before the first value. */
  readonly start: number
  /** `most` is the greatest value of all, or 0, where `needsMost`. */
  readonly step: (sum: number, x: number, most: number) => number
  readonly end?: (sum: number, length: number, most: number) => number
  readonly needsMost?: boolean
  /** Of integers, exact, before they wrap; undefined where the operator has no such form. */
  readonly integer?: (sum: bigint, x: bigint) => bigint
  readonly integerEnd?: (sum: bigint, length: bigint) => bigint
  /** Of one value it is that value. */
  readonly keepsOne?: boolean
  /** Of integers, the first value is what there is at the start: of none there is nothing. */
  readonly isExtreme?: boolean
}

function* reduced(call: Call, reduction: Reduction): Pass<GraphTensor> {
  const x = call.input(0)
  const kind = kindOf(x.type)
  const isFloat = kind === 'float'
  const mayBe = isFloat || (reduction.integer && (kind !== 'bool' || reduction.isExtreme))
  if (!mayBe) call.unsupported(`${x.type} is not supported`)
  const asked = reducedAxes(call, x.shape)
  if (asked === undefined && reduction.keepsOne) return x
  const axes = asked ?? []
  const kept = axesOf(x.shape).filter((axis) => !axes.includes(axis))
  const order = [...kept, ...axes]
  const ordered = order.every((axis, i) => axis === i) ? x : yield* transposed(call, x, order)
  const shape = call.flag('keepdims', true)
    ? x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
    : kept.map((axis) => x.shape[axis])
  const made = call.allocate(x.type, shape)
  const length = lengthOf(made) === 0 ? 0 : lengthOf(x) / lengthOf(made)
  call.spend(lengthOf(x))
  if (isFloat) yield* ofFloats(ordered.data as Float32Array, made.data, length, reduction)
  else if (length === 0 && reduction.isExtreme && lengthOf(made) > 0) call.fail(`${x.type} without any values`)
  else yield* ofIntegers(ordered.data, made.data, length, reduction)
  return yield* rounded(made)
}

/** Of floats from … to, and of what was there before. */
function over(x: Float32Array, from: number, to: number, step: Reduction['step'], before: number, most: number) {
  let sum = before
  for (let k = from; k < to; k++) sum = step(sum, x[k], most)
  return sum
}

const larger = (most: number, x: number) => Math.max(most, x)

/** Of rows of `length` floats that lie together, one value each. */
export function* ofFloats(x: Float32Array, made: GraphData, length: number, reduction: Reduction): Pass<void> {
  if (length <= stretch) {
    yield* inStretches(made.length, (from, to) => ofShortRows(x, made, from, to, length, reduction), length + 4)
    return
  }
  const { start, step, end = itself, needsMost } = reduction
  for (let i = 0; i < made.length; i++) {
    const line = x.subarray(i * length, (i + 1) * length)
    const most = needsMost ? finite(yield* longOver(line, larger, -Infinity, 0)) : 0
    made[i] = end(yield* longOver(line, step, start, most), length, most)
  }
}

const itself = (sum: number) => sum

/** Differences of infinities would be no numbers. */
const finite = (most: number) => (Number.isFinite(most) ? most : 0)

function ofShortRows(
  x: Float32Array,
  made: GraphData,
  first: number,
  last: number,
  length: number,
  { start, step, end = itself, needsMost }: Reduction,
): void {
  for (let i = first; i < last; i++) {
    const [from, to] = [i * length, (i + 1) * length]
    const most = needsMost ? finite(over(x, from, to, larger, -Infinity, 0)) : 0
    // A loop of its own: shared with the largest values it would call functions that it does not know.
    let sum = start
    for (let k = from; k < to; k++) sum = step(sum, x[k], most)
    made[i] = end(sum, length, most)
  }
}

function* longOver(line: Float32Array, step: Reduction['step'], start: number, most: number): Pass<number> {
  let sum = start
  yield* inStretches(line.length, (from, to) => {
    sum = over(line, from, to, step, sum, most)
  })
  return sum
}

function* ofIntegers(
  x: GraphData,
  made: GraphData,
  length: number,
  { start, integer, integerEnd, isExtreme }: Reduction,
): Pass<void> {
  const isBig = made instanceof BigInt64Array || made instanceof BigUint64Array
  let sum = 0n
  const add = (row: number, from: number, to: number) => {
    let own = from > 0 ? sum : BigInt(isExtreme ? x[row * length] : start)
    for (let k = row * length + from; k < row * length + to; k++) own = integer!(own, BigInt(x[k]))
    sum = own
    if (to < length) return
    const value = integerEnd === undefined ? own : integerEnd(own, BigInt(length))
    made[row] = isBig ? value : Number(BigInt.asIntN(32, value))
  }
  yield* rowByRow(made.length, length, add, 4)
}

const row = (reduction: Reduction): Rows[string] =>
  rowOf((call) => reduced(call, reduction), 1, 2, 'axes keepdims noop_with_empty_axes')
const add = (sum: number, x: number) => sum + x
const addSquare = (sum: number, x: number) => sum + x * x
const addBig = (sum: bigint, x: bigint) => sum + x

export const mean: Reduction = {
  start: 0,
  keepsOne: true,
  step: add,
  end: (sum, length) => sum / length,
  integer: addBig,
  integerEnd: (sum, length) => (length === 0n ? 0n : sum / length),
}
export const greatest: Reduction = {
  start: -Infinity,
  step: larger,
  integer: (sum, x) => (x > sum ? x : sum),
  isExtreme: true,
  keepsOne: true,
}

export const reductions: Rows = {
  ReduceSum: row({ start: 0, step: add, integer: addBig, keepsOne: true }),
  ReduceMean: row(mean),
  ReduceMax: row(greatest),
  ReduceMin: row({
    start: Infinity,
    step: (least, x) => Math.min(least, x),
    integer: (sum, x) => (x < sum ? x : sum),
    isExtreme: true,
    keepsOne: true,
  }),
  // Bits beyond 64 are lost in any case, and would only make it longer.
  ReduceProd: row({
    start: 1,
    step: (sum, x) => sum * x,
    integer: (sum, x) => BigInt.asIntN(64, sum * x),
    keepsOne: true,
  }),
  ReduceL1: row({ start: 0, step: (sum, x) => sum + Math.abs(x), integer: (sum, x) => sum + (x < 0n ? -x : x) }),
  ReduceL2: row({ start: 0, step: addSquare, end: (sum) => Math.sqrt(sum) }),
  ReduceSumSquare: row({ start: 0, step: addSquare, integer: (sum, x) => sum + x * x }),
  ReduceLogSum: row({ start: 0, step: add, end: (sum) => Math.log(sum) }),
  ReduceLogSumExp: row({
    start: 0,
    step: (sum, x, most) => sum + Math.exp(x - most),
    end: (sum, _, most) => Math.log(sum) + most,
    needsMost: true,
  }),
}
