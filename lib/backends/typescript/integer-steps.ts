/** Gemm, MatMul and Conv on weights of int8, row by row: what each row of the input, or each window, sums with a matrix. */

import type { Call } from '../../graph/call.ts'
import { layoutOf } from '../../graph/operators/convolve-layout.ts'
import { asPlane, kernelOf, spatialOf, windowsOf } from '../../graph/operators/window.ts'
import { Pace, type Pass, stretch } from '../../graph/pace.ts'
import { stridesOf } from '../../graph/strides.ts'
import type { GraphTensor } from '../../graph/tensor.ts'
import { floor, max, min, newDoubles } from '../../intrinsics/captured.ts'
import type { MatrixProduct } from './product.ts'

/** What a step has of its weights. */
interface Weights {
  readonly product: MatrixProduct
  readonly rows: number
  readonly columns: number
  /** Which operand they are. */
  readonly place: 0 | 1
  /** Of the result. */
  readonly shape: readonly number[]
  /** Whether it is a Gemm, which adds to the product. */
  readonly adds: boolean
}

type Run = (call: Call, weights: Weights) => Pass<GraphTensor>

/** Sums of the rows first … last with a vector: some rows at a time, whole blocks. */
function* sumsOf(
  product: MatrixProduct,
  sums: Float64Array,
  bias: Float32Array | undefined,
  vector: Float64Array,
  first: number,
  last: number,
  pace: Pace,
): Pass<void> {
  const rows = max(4, 4 * floor(stretch / (2 * vector.length)))
  for (let r = first; r < last; r += rows) {
    product(sums, bias, vector, r, min(last, r + rows))
    if (pace.isOver(vector.length * (min(last, r + rows) - r + 1))) yield
  }
}

/** Vectors out of a matrix (V, K), or out of one that lies (K, V), each in double precision. */
function vectorsOf(x: Float32Array, V: number, K: number, isTurned: boolean): (v: number) => Float64Array {
  const vector = newDoubles(K)
  return (v) => {
    for (let k = 0; k < K; k++) vector[k] = isTurned ? x[k * V + v] : x[v * K + k]
    return vector
  }
}

/** A product of matrices one of which is the weights, with a factor. On the left their rows meet the columns of the other one. */
export const multiplied: Run = function* (call, { product, rows: R, columns: K, place, shape, adds }) {
  const x = call.floats(1 - place)
  const made = call.allocate(x.type, shape)
  const isVector = x.shape.length === 1
  const isTurned = place === 1 ? call.flag('transA') : !call.flag('transB')
  const V = isVector ? 1 : x.shape.at(isTurned ? -1 : -2)!
  const alpha = call.real('alpha', 1)
  const added = adds ? addendOf(call) : nothing
  const sums = newDoubles(R)
  const pace = new Pace()
  for (let at = 0; at < x.data.length; at += V * K) {
    const vectors = vectorsOf((x.data as Float32Array).subarray(at, at + V * K), V, K, isTurned && !isVector)
    const to = (at / K) * R
    for (let v = 0; v < V; v++) {
      yield* sumsOf(product, sums, undefined, vectors(v), 0, R, pace)
      for (let r = 0; r < R; r++) made.data[to + (place === 1 ? v * R + r : r * V + v)] = alpha * sums[r] + added(v, r)
    }
  }
  return made
}

/** To the last bit: a sum that is −0 stays so. */
const nothing = () => -0

/** What a Gemm adds in a row and column. */
function addendOf(call: Call): (row: number, column: number) => number {
  const c = call.inputs[2]
  if (!c) return () => 0
  const beta = call.real('beta', 1)
  const strides = stridesOf(c.shape)
  const step = (axis: number) => ((c.shape.at(axis) ?? 1) === 1 ? 0 : strides.at(axis)!)
  const [down, right] = [step(-2), step(-1)]
  return (row, column) => beta * (c.data[row * down + column * right] as number)
}

/** Conv over one or two axes: a window of one group is a row. */
export const convolved: Run = function* (call, { product, rows: N, shape }) {
  const { x, w, bias, groups, inputs, outputs } = layoutOf(call, false)
  const axes = windowsOf(call, spatialOf(call, x.shape), kernelOf(call, x.shape.length - 2, w.shape.slice(2)))
  const made = call.allocate(x.type, shape)
  const [rows, columns] = asPlane(axes)
  const [from, to] = [rows.input * columns.input, rows.output * columns.output]
  const window = newDoubles(inputs * rows.kernel * columns.kernel)
  const sums = newDoubles(N)
  const pace = new Pace()
  const data = x.data as Float32Array
  /** What the window at (r, c) sees; 0 beyond the edges. */
  const look = (start: number, r: number, c: number): void => {
    for (let i = 0, k = 0; i < inputs; i++) {
      for (let row = 0; row < rows.kernel; row++) {
        const y = r * rows.stride + row * rows.dilation - rows.before
        for (let column = 0; column < columns.kernel; column++, k++) {
          const at = c * columns.stride + column * columns.dilation - columns.before
          const isInside = y >= 0 && y < rows.input && at >= 0 && at < columns.input
          window[k] = isInside ? data[start + i * from + y * columns.input + at] : 0
        }
      }
    }
  }
  for (let ng = 0; ng < x.shape[0] * groups; ng++) {
    const first = (ng % groups) * outputs
    for (let p = 0; p < to; p++) {
      const c = p % columns.output
      look(ng * inputs * from, (p - c) / columns.output, c)
      yield* sumsOf(product, sums, bias, window, first, first + outputs, pace)
      for (let o = 0; o < outputs; o++) made.data[(ng * outputs + o) * to + p] = sums[first + o]
    }
  }
  return made
}
