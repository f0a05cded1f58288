/** Steps of a plan whose constant weights are kept in fewer bytes: Gemm, MatMul and Conv. */

import { Budget } from '../../graph/budget.ts'
import type { PlanValue, Step } from '../../graph/plan.ts'
import { callOfStep, runStep } from '../../graph/step.ts'
import type { GraphTensor } from '../../graph/tensor.ts'
import { type WeightMatrix, weightMatrixOf } from '../../graph/weight-matrix.ts'
import { zeros } from '../../intrinsics/captured.ts'
import type { Precision } from '../../spec/weight-types.ts'
import { KeptMatrix, keep } from '../../weights/kept.ts'
import type { WeightStore } from '../interface.ts'
import { sharedCopy } from './arrays.ts'
import { convolved, multiplied, summed } from './integer-steps.ts'
import { MatrixProduct } from './product.ts'

/** Runs the step on its inputs. */
export type KeptStep = (inputs: readonly (GraphTensor | undefined)[]) => readonly GraphTensor[]

const unbounded = Budget.unbounded()

/** Undefined for a step that has no such weights. */
export function keptStep(
  step: Step,
  values: readonly (PlanValue | undefined)[],
  store: WeightStore,
  precision: Precision,
): KeptStep | undefined {
  const weight = values[step.inputs[1]]?.constant
  const lies = precision.weights === 'f32' || !weight ? undefined : weightMatrixOf(step, weight)
  if (!weight || !lies) return undefined
  const { rows, columns, isTurned } = lies
  const key = `${precision.weights} ${rows} ${columns} ${isTurned}`
  const make = () => sharedCopy(keep(precision.weights, plainOf(weight, lies), rows, columns))
  const matrix = new KeptMatrix(precision.weights, store.packed(weight, key, make), rows, columns)
  if (precision.weights !== 'int8') return withRounded(step, matrix, weight, lies)
  const product = new MatrixProduct(matrix, precision.activations)
  const run = { Conv: convolved, Gemm: summed }[step.opType] ?? multiplied
  return (inputs) => [run(callOfStep(step, inputs, unbounded), product, rows)]
}

/** The operator itself on rounded weights. */
function withRounded(step: Step, matrix: KeptMatrix, weight: GraphTensor, lies: WeightMatrix): KeptStep {
  const { type, shape } = weight
  return (inputs) => {
    const own = inputs.slice()
    own[1] = { type, shape, data: laid(matrix.plain(), lies) }
    return runStep(step, own, unbounded)
  }
}

/** The weights row by row. */
function plainOf({ data }: GraphTensor, { rows, columns, isTurned }: WeightMatrix): Float32Array {
  return isTurned ? turned(data as Float32Array, columns, rows) : (data as Float32Array)
}

/** Rows as the operator has them. */
function laid(values: Float32Array, { rows, columns, isTurned }: WeightMatrix): Float32Array {
  return isTurned ? turned(values, rows, columns) : values
}

/** (A, B) → (B, A) */
function turned(values: Float32Array, A: number, B: number): Float32Array {
  const made = zeros(A * B)
  for (let a = 0; a < A; a++) for (let b = 0; b < B; b++) made[b * A + a] = values[a * B + b]
  return made
}
