/** Products of matrices: with packed weights where one of both is constant, and of two that are known only in the run. */

import { axesOf, count, type GraphTensor } from '../../graph/tensor.ts'
import { precisionNumbers } from '../packing.ts'
import { reduceKind } from '../protocol.ts'
import { merged } from './emit.ts'
import { type Epilogue, epilogueOf, type Line, nothingAfter, perOutput, withBiases } from './fuse.ts'
import type { Op } from './op.ts'
import type { Row, Rows } from './row.ts'
import { orderOf, permuted, reshaped, sliced, spread, type View, valuesIn, valuesOf } from './views.ts'
import { digest } from './weights.ts'

/** Rows of packed matrices begin at whole vectors of the widest kind where there are so many outputs. */
export const isWhole = (N: number): 0 | 1 => (N % 16 === 0 ? 1 : 0)

/** The last two axes in each other's place. */
const turned = (view: View): View => {
  const rank = view.shape.length
  return rank < 2 ? view : permuted(view, [...axesOf(view.shape).slice(0, -2), rank - 1, rank - 2])
}

/** Plain weights of N outputs of K inputs, out of a view (N, K), and their biases, with what follows. */
export function folded(weight: View, { scale, shift }: Line, alpha = 1): { weight: Float32Array; bias: Float32Array } {
  const [N, K] = weight.shape
  const isScaled = alpha !== 1 || scale.some((one) => one !== 1)
  const plain = (isScaled ? valuesOf(weight) : valuesIn(weight)) as Float32Array
  for (let n = 0; isScaled && n < N; n++) {
    const factor = alpha * scale[n]
    if (factor !== 1) for (let k = 0; k < K; k++) plain[n * K + k] *= factor
  }
  return { weight: plain, bias: Float32Array.from(shift) }
}

/** What packs the weights of N outputs from one on: K each, out of a view that is asked for where they are not packed yet. */
export function matrixOf(op: Op, constant: GraphTensor, kind: string, { scale, shift }: Line, alpha = 1) {
  const key = `${kind} ${digest(scale, shift, Float64Array.of(alpha))}`
  return (from: number, N: number, K: number, weights: () => View): number => {
    const own = { scale: scale.subarray(from, from + N), shift: shift.subarray(from, from + N) }
    const make = () => folded(op.reshape(weights(), [N, K]), own, alpha)
    return op.to.weights.dense(constant, `${key} ${from}`, K, N, make, from)
  }
}

/** From so many outputs on all sums have one order. */
const fewest = 64

/** Outputs of each of the matrices that a large one becomes where no instruction may take long. */
function columnsOfPart(K: number, N: number, mostWork = Number.POSITIVE_INFINITY): number {
  return K * N <= mostWork ? N : Math.max(fewest, Math.floor(mostWork / (2 * fewest * K)) * fewest)
}

/** Rows (…, K) of x times packed weights, (…, N), out of a view (N, K) of a constant. */
function packed(op: Op, x: View, constant: GraphTensor, weight: View, epilogue: Epilogue, alpha: number): View {
  const { weights } = op.to
  const [N, K] = weight.shape
  const lead = axesOf(x.shape).slice(0, -1)
  const last = lead.length
  const order = [...orderOf(permuted(x, lead)), last]
  const rows = K === 1 || x.strides[last] === 1 ? x : op.dense(x, order)
  const y = op.make('float32', [...x.shape.slice(0, -1), N], order)
  const [from, to] = merged([permuted(rows, lead), permuted(y, lead)])
  const behind = (view: View, row: number, size = row, first = 0): View => ({
    ...view,
    start: view.start + first,
    shape: [...(view.shape.length ? view.shape : [1]), size],
    strides: [...(view.shape.length ? view.strides : [row]), 1],
  })
  const factor = weights.isRounded ? 1 : alpha
  const matrix = matrixOf(op, constant, `${weight.strides}`, epilogue, factor)
  const most = columnsOfPart(K, N, weights.mostWork)
  const kept = precisionNumbers(weights.precision)
  let first = 0
  while (first < N) {
    // None of few outputs is left, whose sums have another order.
    const size = N - first < most + fewest ? N - first : most
    const columns = sliced(weight, 0, first, size)
    const numbers = [matrix(first, size, K, () => columns), ...kept, K, size, ...epilogue.after, isWhole(size)]
    op.emit('gemm', [...numbers, behind(from, K)], [behind(to, N, size, first)])
    first += size
  }
  return factor === alpha ? y : op.zip('mul', y, op.scalar('float32', alpha))
}

/** Marks what a product made, with all that follows it. */
export function finished(op: Op, { value }: Epilogue, made: View): View {
  const { shape } = op.to.plan.values[value]!
  const view = reshaped(made, shape)!
  op.to.views.set(value, view)
  return view
}

interface Factor {
  readonly view: View
  readonly constant: GraphTensor | undefined
}

/** Whether a factor is multiplied with the sums, as rounded weights do not take it; nothing is then added before. */
const hasOwnFactor = (op: Op, alpha: number): boolean => op.to.weights.isRounded && alpha !== 1

/** (…, M, K) times (…, K, N), and what is added to each of the N outputs; the result may have axes of 1 that ONNX's has not. */
function product(
  op: Op,
  a: Factor,
  b: Factor,
  alpha: number,
  bias?: readonly number[],
  beta = 1,
  isFused = true,
): View {
  const rank = op.result().shape.length
  const [M, K, N] = [a.view.shape.at(-2)!, a.view.shape.at(-1)!, b.view.shape.at(-1)!]
  if (K === 0 || a.view.type !== 'float32') return unpacked(op, a.view, b.view, alpha)
  const epilogueFor = (axis: number, outputs: number) =>
    withBiases(
      isFused && !hasOwnFactor(op, alpha) ? epilogueOf(op, axis, outputs) : nothingAfter(op, outputs),
      bias,
      beta,
    )
  if (b.constant && count(b.view.shape) === K * N) {
    const weight = reshaped(turned(b.view), [N, K])!
    const axis = op.view(1).shape.length === 1 ? rank : rank - 1
    const epilogue = epilogueFor(axis, N)
    return finished(op, epilogue, packed(op, a.view, b.constant, weight, epilogue, alpha))
  }
  const columns = turned(b.view)
  // A constant on the left: the transpose of the transposes' product. However its columns lie, which may depend on how many there are: each
  // has the bits that it has alone.
  if (a.constant && !bias && isFused && count(a.view.shape) === M * K) {
    const epilogue = epilogueFor(op.view(0).shape.length === 1 ? rank : rank - 2, M)
    const weight = reshaped(a.view, [M, K])!
    return finished(op, epilogue, turned(packed(op, columns, a.constant, weight, epilogue, alpha)))
  }
  return unpacked(op, a.view, b.view, alpha)
}

/** Of two that are both looked at in the run; integers place by place. */
export function unpacked(op: Op, a: View, b: View, alpha: number): View {
  const [M, K, N] = [a.shape.at(-2)!, a.shape.at(-1)!, b.shape.at(-1)!]
  const rank = Math.max(a.shape.length, b.shape.length)
  const batch = Array.from({ length: rank - 2 }, (_, axis) =>
    Math.max(a.shape[axis - rank + a.shape.length] ?? 1, b.shape[axis - rank + b.shape.length] ?? 1),
  )
  const shape = [...batch, M, N]
  if (K === 0) return op.scalar(a.type, 0, shape)
  const type = a.type === 'float32' || a.type === 'int64' ? a.type : 'int32'
  const [x, y] = [spread(op.cast(a, type), [...batch, M, K]), spread(op.cast(b, type), [...batch, K, N])]
  if (type === 'float32') return op.run('matmul', [alpha, x, y], { type, shape })
  const [down, right] = [op.reshape(x, [...batch, M, K, 1]), op.reshape(y, [...batch, 1, K, N])]
  const terms = op.zip('mul', down, right, [...batch, M, K, N])
  const sums = op.run('reduce', [reduceKind.sum, terms], { type, shape: [...batch, M, 1, N] })
  return op.cast(op.reshape(sums, shape), a.type)
}

/** A vector is a row on the left, a column on the right. */
function factorOf(op: Op, place: 0 | 1, isTurned: boolean): Factor {
  const view = op.view(place)
  if (view.shape.length > 1) return { view: isTurned ? turned(view) : view, constant: op.constant(place) }
  const [size] = view.shape
  return { view: reshaped(view, place === 0 ? [1, size] : [size, 1])!, constant: op.constant(place) }
}

const matMul = (op: Op, isA: boolean, isB: boolean, alpha: number): View =>
  op.reshape(product(op, factorOf(op, 0, isA), factorOf(op, 1, isB), alpha), op.result().shape)

const gemm: Row = (op) => {
  const { call } = op
  const [a, b] = [factorOf(op, 0, call.flag('transA')), factorOf(op, 1, call.flag('transB'))]
  const [alpha, beta] = [call.real('alpha', 1), call.real('beta', 1)]
  const { shape } = op.result()
  const c = op.optional(2)
  const known = op.constant(2)
  const isPacked = a.view.type === 'float32' && a.view.shape[1] > 0
  const isAdded = isPacked && known && b.constant && !hasOwnFactor(op, alpha)
  const bias = isAdded ? perOutput(known, 2, 1, shape[1]) : undefined
  const made = product(op, a, b, alpha, bias, beta, c === undefined || bias !== undefined)
  if (c === undefined || bias !== undefined) return made
  const scaled = beta === 1 ? c : op.zip('mul', c, op.scalar('float32', beta))
  return op.zip('add', made, scaled, shape)
}

export const products: Rows = {
  MatMul: (op) => matMul(op, false, false, 1),
  Gemm: gemm,
}

export const microsoftProducts: Rows = {
  FusedMatMul: (op) => matMul(op, op.call.flag('transA'), op.call.flag('transB'), op.call.real('alpha', 1)),
}
