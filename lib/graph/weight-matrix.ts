/** Which constants of a graph are weights of products, and how their rows lie: one row for each output unit or channel. */

import type { Step } from './plan.ts'
import { count, type GraphTensor } from './tensor.ts'

/** A constant as a matrix. */
export interface WeightMatrix {
  readonly weight: GraphTensor
  /** Which input of the step it is. */
  readonly place: 0 | 1
  /** Output units or channels. */
  readonly rows: number
  /** What is summed. */
  readonly columns: number
  /** Whether it lies (columns, rows). */
  readonly isTurned: boolean
}

/**
 * The weights of a Conv, or the constant operand of a product of matrices: the right one where both could be. Undefined where there is none,
 * or not of float32. Recurrent steps are not asked.
 */
export function weightMatrixOf(
  step: Step,
  constant: (value: number) => GraphTensor | undefined,
): WeightMatrix | undefined {
  const { domain, opType, attributes, inputs } = step
  const isTurned = (name: string) => Number(attributes.get(name) ?? 0) !== 0
  const at = (place: 0 | 1) => {
    const weight = constant(inputs[place])
    return weight?.type === 'float32' && weight.shape.length > 0 && !weight.shape.includes(0) ? weight : undefined
  }
  if (domain === '' && opType === 'Conv') {
    const weight = at(1)
    return weight && { weight, place: 1, ...sizesOf(weight, weight.shape[0], false) }
  }
  const isProduct =
    domain === '' ? opType === 'Gemm' || opType === 'MatMul' : domain === 'com.microsoft' && opType === 'FusedMatMul'
  if (!isProduct) return undefined
  const right = at(1)
  if (right && isMatrix(right)) return { weight: right, place: 1, ...matrixOf(right, !isTurned('transB')) }
  const left = at(0)
  // What a Gemm adds lies by the columns of its right operand.
  if (!left || !isMatrix(left) || (opType === 'Gemm' && inputs[2] >= 0)) return undefined
  return { weight: left, place: 0, ...matrixOf(left, isTurned('transA')) }
}

/** One matrix or vector, not a batch of them. */
function isMatrix({ shape }: GraphTensor): boolean {
  return shape.slice(0, -2).every((size) => size === 1)
}

/** A vector is a single row. */
function matrixOf(weight: GraphTensor, isTurned: boolean) {
  if (weight.shape.length === 1) return sizesOf(weight, 1, false)
  return sizesOf(weight, weight.shape.at(isTurned ? -1 : -2)!, isTurned)
}

function sizesOf({ shape }: GraphTensor, rows: number, isTurned: boolean) {
  return { rows, columns: count(shape) / rows, isTurned }
}
