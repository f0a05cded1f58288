/** Products of matrices. */

import { list } from '../../errors.ts'
import type { Call } from '../call.ts'
import { inStretches, Pace, type Pass, rowByRow, stretch } from '../pace.ts'
import { rounded } from '../rounding.ts'
import { broadcast, expanded, transposed } from '../strides.ts'
import { axesOf, count, type GraphData, type GraphTensor, kindOf, lengthOf } from '../tensor.ts'
import { type Rows, rowOf } from './row.ts'

/** (M, K) · (K, N), each where it begins, row by row into `sums`, which then go to `made`. */
type Multiply = (
  a: GraphData,
  b: GraphData,
  made: GraphData,
  at: readonly [a: number, b: number, made: number],
) => Pass<void> | undefined

/** In double precision, times a factor. */
function ofFloats(call: Call, M: number, K: number, N: number, alpha: number): Multiply {
  const wide = Math.min(N, stretch)
  const sums = call.scratch(wide)
  const isShort = M * K * N <= stretch
  return (a, b, made, [atA, atB, atMade]) => {
    const [x, y] = [a as Float32Array, b as Float32Array]
    const add = (m: number, first: number, columns: number, begin: number, end: number) => {
      if (begin === 0) sums.fill(0)
      addRows(sums, columns, x, atA + m * K, y, atB + first, N, begin, end)
      if (end < K) return
      const to = atMade + m * N + first
      for (let n = 0; n < columns; n++) made[to + n] = alpha * sums[n]
    }
    if (!isShort) return inColumns(M, K, N, wide, add)
    for (let m = 0; m < M; m++) add(m, 0, N, 0, K)
    return undefined
  }
}

function* inColumns(
  M: number,
  K: number,
  N: number,
  wide: number,
  add: (m: number, first: number, columns: number, begin: number, end: number) => void,
): Pass<void> {
  for (let first = 0; first < N; first += wide) {
    const columns = Math.min(wide, N - first)
    yield* rowByRow(M, K, (m, begin, end) => add(m, first, columns, begin, end), columns + 1)
  }
}

/** To the sums of so many columns what rows begin … end of a matrix give them, times the values at `a`. */
function addRows(
  sums: Float64Array,
  columns: number,
  x: Float32Array,
  a: number,
  y: Float32Array,
  b: number,
  N: number,
  begin: number,
  end: number,
): void {
  for (let k = begin; k < end; k++) {
    const value = x[a + k]
    const from = b + k * N
    for (let n = 0; n < columns; n++) sums[n] += value * y[from + n]
  }
}

/** Of integers, which wrap. */
function ofIntegers(M: number, K: number, N: number, isBig: boolean): Multiply {
  return function* (a, b, made, [atA, atB, atMade]) {
    let kept: number | bigint = 0
    const add = (at: number, begin: number, end: number) => {
      const n = at % N
      const m = (at - n) / N
      let [sum, big] = begin === 0 ? [0, 0n] : [Number(kept), BigInt(kept)]
      for (let k = begin; k < end; k++) {
        const [x, y] = [a[atA + m * K + k], b[atB + k * N + n]]
        if (isBig) big = BigInt.asIntN(64, big + (x as bigint) * (y as bigint))
        else sum = (sum + Math.imul(x as number, y as number)) | 0
      }
      kept = isBig ? big : sum
      if (end === K) made[atMade + at] = kept
    }
    yield* rowByRow(M * N, K, add, 4)
  }
}

/** The last two axes in each other's place, where an attribute asks for that. */
function* turned(call: Call, x: GraphTensor, flag: string): Pass<GraphTensor> {
  const rank = x.shape.length
  if (!call.flag(flag) || rank < 2) return x
  return yield* transposed(call, x, [...axesOf(x.shape.slice(2)), rank - 1, rank - 2])
}

/** Which matrix of an operand each of the batch uses. */
function* matricesOf(call: Call, batch: readonly number[], own: readonly number[]): Pass<GraphData> {
  const places = call.allocate('float64', own)
  yield* inStretches(places.data.length, (from, to) => {
    for (let i = from; i < to; i++) places.data[i] = i
  })
  return (yield* expanded(call, places, batch)).data
}

function* product(call: Call, x: GraphTensor, y: GraphTensor, alpha: number): Pass<GraphTensor> {
  const kind = kindOf(x.type)
  if (x.type !== y.type || kind === 'bool') call.unsupported(`${x.type} times ${y.type} is not supported`)
  if (x.shape.length === 0 || y.shape.length === 0) call.fail('a number is no matrix')
  // A vector is a row on the left, a column on the right, and its axis of 1 is taken off again.
  const left = x.shape.length === 1 ? [1, ...x.shape] : x.shape
  const right = y.shape.length === 1 ? [...y.shape, 1] : y.shape
  const [M, K, N] = [left.at(-2)!, left.at(-1)!, right.at(-1)!]
  if (right.at(-2) !== K) call.fail(`${list(x.shape)} times ${list(y.shape)}`)
  const [ownLeft, ownRight] = [left.slice(0, -2), right.slice(0, -2)]
  const batch = broadcast(call, ownLeft, ownRight)
  const made = call.allocate(x.type, [...batch, ...x.shape.slice(-2, -1), ...(y.shape.length === 1 ? [] : [N])])
  if (lengthOf(made) === 0) return made
  call.spend((lengthOf(made) / N) * (K * (N + 2) + N))
  if (call.isDry) return made
  const forA = yield* matricesOf(call, batch, ownLeft)
  const forB = yield* matricesOf(call, batch, ownRight)
  const multiply = kind === 'float' ? ofFloats(call, M, K, N, alpha) : ofIntegers(M, K, N, kind === 'big')
  const pace = new Pace()
  for (let i = 0, matrices = count(batch); i < matrices; i++) {
    if (pace.isOver(M * K * N + 16)) yield
    const steps = multiply(x.data, y.data, made.data, [
      (forA[i] as number) * M * K,
      (forB[i] as number) * K * N,
      i * M * N,
    ])
    if (steps) yield* steps
  }
  return yield* rounded(made)
}

function* gemm(call: Call): Pass<GraphTensor> {
  const x = call.floats(0)
  const y = call.floats(1, x)
  for (const { shape } of [x, y]) if (shape.length !== 2) call.fail(`${list(shape)} is not the shape of a matrix`)
  const a = yield* turned(call, x, 'transA')
  const b = yield* turned(call, y, 'transB')
  const c = call.inputs[2] && call.floats(2, x)
  // The sum with C is rounded once: the product stays in double precision until then.
  const left = yield* inDouble(call, a)
  const right = yield* inDouble(call, b)
  const sums = yield* product(call, left, right, call.real('alpha', 1))
  const made = call.allocate(x.type, sums.shape)
  const [rows, columns] = [c?.shape.at(-2) ?? 1, c?.shape.at(-1) ?? 1]
  const [M, N] = sums.shape
  if (c && (c.shape.length > 2 || (rows !== 1 && rows !== M) || (columns !== 1 && columns !== N)))
    call.fail(`C ${list(c.shape)} of ${list(sums.shape)}`)
  if (call.isDry) return made
  const [down, along] = [rows === 1 ? 0 : columns, columns === 1 ? 0 : 1]
  const beta = call.real('beta', 1)
  yield* rowByRow(M, N, (m, from, to) => {
    for (let n = from; n < to; n++) {
      const i = m * N + n
      made.data[i] = (sums.data[i] as number) + (c ? beta * (c.data[m * down + n * along] as number) : 0)
    }
  })
  return yield* rounded(made)
}

function* inDouble(call: Call, x: GraphTensor): Pass<GraphTensor> {
  if (x.type === 'float64' || call.isDry) return x
  const made = call.allocate('float64', x.shape)
  const from = x.data as Float32Array
  yield* inStretches(from.length, (begin, end) => made.data.set(from.subarray(begin, end) as never, begin))
  return made
}

/** onnxruntime's MatMul with a factor, and matrices that may lie turned. */
function* fusedMatMul(call: Call): Pass<GraphTensor> {
  if (call.flag('transBatchA') || call.flag('transBatchB'))
    call.unsupported('transBatchA and transBatchB are not supported')
  const x = call.floats(0)
  const y = call.floats(1, x)
  const a = yield* turned(call, x, 'transA')
  const b = yield* turned(call, y, 'transB')
  return yield* product(call, a, b, call.real('alpha', 1))
}

export const products: Rows = {
  MatMul: rowOf((call) => product(call, call.input(0), call.input(1), 1), 2, 2),
  Gemm: rowOf(gemm, 2, 3, 'alpha beta transA transB'),
}

export const microsoftProducts: Rows = {
  FusedMatMul: rowOf(fusedMatMul, 2, 2, 'alpha transA transB transBatchA transBatchB'),
}
