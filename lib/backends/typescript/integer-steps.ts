/** Gemm, MatMul and Conv on weights of int8, row by row: what each row of the input, or each window, sums with a matrix. */

import type { Call } from '../../graph/call.ts'
import { layoutOf } from '../../graph/operators/convolve.ts'
import { asPlane, kernelOf, spatialOf, windowsOf } from '../../graph/operators/window.ts'
import { stridesOf } from '../../graph/strides.ts'
import { count, type GraphTensor } from '../../graph/tensor.ts'
import { newDoubles } from '../../intrinsics/captured.ts'
import type { MatrixProduct } from './product.ts'

/** `N`: rows of the matrix. */
type Run = (call: Call, product: MatrixProduct, N: number) => GraphTensor

/** Rows of a matrix (M, K), or of one that lies (K, M), each as a vector in double precision. */
function rowOf(x: Float32Array, M: number, K: number, isTurned: boolean): (m: number) => Float64Array {
  const row = newDoubles(K)
  return (m) => {
    for (let k = 0; k < K; k++) row[k] = isTurned ? x[k * M + m] : x[m * K + k]
    return row
  }
}

/** MatMul, and FusedMatMul with its factor. */
export const multiplied: Run = (call, product, N) => {
  const x = call.floats(0)
  const isTurned = call.flag('transA') && x.shape.length > 1
  const shape = isTurned ? [...x.shape.slice(0, -2), x.shape.at(-1)!, x.shape.at(-2)!] : x.shape
  const K = shape.at(-1)!
  const M = shape.at(-2) ?? 1
  const made = call.allocate(x.type, [...shape.slice(0, -1), N])
  const alpha = call.real('alpha', 1)
  const sums = newDoubles(N)
  for (let matrix = 0; matrix < count(shape.slice(0, -2)); matrix++) {
    const rows = rowOf((x.data as Float32Array).subarray(matrix * M * K, (matrix + 1) * M * K), M, K, isTurned)
    for (let m = 0; m < M; m++) {
      product.run(sums, undefined, rows(m), 0, N)
      for (let n = 0; n < N; n++) made.data[(matrix * M + m) * N + n] = alpha * sums[n]
    }
  }
  return made
}

/** Gemm. */
export const summed: Run = (call, product, N) => {
  const x = call.floats(0)
  const c = call.inputs[2]
  const isTurned = call.flag('transA')
  const [M, K] = isTurned ? [x.shape[1], x.shape[0]] : x.shape
  const made = call.allocate(x.type, [M, N])
  const [alpha, beta] = [call.real('alpha', 1), call.real('beta', 1)]
  const strides = stridesOf(c?.shape ?? [])
  const step = (axis: number) => ((c?.shape.at(axis) ?? 1) === 1 ? 0 : strides.at(axis)!)
  const [down, right] = [step(-2), step(-1)]
  const rows = rowOf(x.data as Float32Array, M, K, isTurned)
  const sums = newDoubles(N)
  for (let m = 0; m < M; m++) {
    product.run(sums, undefined, rows(m), 0, N)
    for (let n = 0; n < N; n++) {
      made.data[m * N + n] = alpha * sums[n] + (c ? beta * (c.data[m * down + n * right] as number) : 0)
    }
  }
  return made
}

/** Conv over one or two axes: a window of one group is a row. */
export const convolved: Run = (call, product, N) => {
  const { x, w, bias, groups, inputs, outputs } = layoutOf(call, false)
  const axes = windowsOf(call, spatialOf(call, x.shape), kernelOf(call, x.shape.length - 2, w.shape.slice(2)))
  const made = call.allocate(x.type, [x.shape[0], N, ...axes.map(({ output }) => output)])
  const [rows, columns] = asPlane(axes)
  const [from, to] = [rows.input * columns.input, rows.output * columns.output]
  const window = newDoubles(inputs * rows.kernel * columns.kernel)
  const sums = newDoubles(N)
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
      product.run(sums, bias, window, first, first + outputs)
      for (let o = 0; o < outputs; o++) made.data[(ng * outputs + o) * to + p] = sums[first + o]
    }
  }
  return made
}
