/** Which constants of a graph are weights of products, and how their rows lie: one row for each output unit or channel. */

import type { Step } from './plan.ts'
import type { GraphTensor } from './tensor.ts'

/** A constant as a matrix. */
export interface WeightMatrix {
  /** Output units or channels. */
  readonly rows: number
  /** What is summed. */
  readonly columns: number
  /** Whether it lies (columns, rows). */
  readonly isTurned: boolean
}

/** The second input of a step as a matrix of weights; undefined where it is none, or not of float32. Recurrent steps are not asked. */
export function weightMatrixOf({ domain, opType, attributes }: Step, weight: GraphTensor): WeightMatrix | undefined {
  const { type, shape } = weight
  if (type !== 'float32' || shape.length < 2 || shape.includes(0)) return undefined
  if (domain === '' && opType === 'Conv') {
    const [rows] = shape
    return { rows, columns: shape.slice(1).reduce((product, size) => product * size, 1), isTurned: false }
  }
  const isProduct =
    domain === '' ? opType === 'Gemm' || opType === 'MatMul' : domain === 'com.microsoft' && opType === 'FusedMatMul'
  if (!isProduct || shape.length !== 2) return undefined
  const isRows = Number(attributes.get('transB') ?? 0) !== 0
  return isRows
    ? { rows: shape[0], columns: shape[1], isTurned: false }
    : { rows: shape[1], columns: shape[0], isTurned: true }
}
