/** Steps of a plan whose constant weights are kept in fewer bytes: Gemm, MatMul and Conv. */

import { unlimited } from '../../graph/budget.ts'
import { finished, type Pass, rowByRow, stretch } from '../../graph/pace.ts'
import type { PlanValue, Step } from '../../graph/plan.ts'
import { scalesOfRows } from '../../graph/scales.ts'
import { callOfStep, runStep } from '../../graph/step.ts'
import type { GraphTensor } from '../../graph/tensor.ts'
import { type WeightMatrix, weightMatrixOf } from '../../graph/weight-matrix.ts'
import { floor, max, min, viewOf, zeros } from '../../intrinsics/captured.ts'
import { KeptMatrix, keep } from '../../precision/kept.ts'
import { setScales } from '../../precision/scales.ts'
import type { Precision } from '../../spec/weight-types.ts'
import type { WeightStore } from '../interface.ts'
import { SharedWeights } from '../packed-memory.ts'
import { sharedCopy } from './arrays.ts'
import { convolved, multiplied } from './integer-steps.ts'
import { matrixProduct } from './product.ts'

/** Runs the step on its inputs. */
export type KeptStep = (inputs: readonly (GraphTensor | undefined)[]) => Pass<readonly GraphTensor[]>

/** Undefined for a step that has no such weights. */
export function keptStep(
  step: Step,
  values: readonly (PlanValue | undefined)[],
  store: WeightStore,
  precision: Precision,
): KeptStep | undefined {
  const { weights: type, activations } = precision
  const found = type === 'f32' ? undefined : weightMatrixOf(step, (value) => values[value]?.constant)
  if (!found) return undefined
  const { weight, place, rows, columns, isTurned } = found
  const key = `${type} ${rows} ${columns} ${isTurned}`
  const make = () => new SharedWeights(sharedCopy(keep(type, plainOf(found), rows, columns)))
  const { array } = store.packed(weight, key, make, (shared) => new SharedWeights(shared))
  const matrix = new KeptMatrix(type, array, rows, columns)
  if (type !== 'int8') return withRounded(step, matrix, found)
  const product = matrixProduct(matrix, activations)
  const { shape } = values[step.outputs[0]]!
  const own = { product, rows, columns, place, shape, adds: step.opType === 'Gemm' && place === 1 }
  const run = step.opType === 'Conv' ? convolved : multiplied
  return function* (inputs) {
    return [yield* run(callOfStep(step, inputs, unlimited), own)]
  }
}

/** The operator itself on rounded weights. */
function withRounded(step: Step, matrix: KeptMatrix, found: WeightMatrix): KeptStep {
  const { type, shape } = found.weight
  return function* (inputs) {
    const own = inputs.slice()
    const rows = yield* widened(matrix)
    const data = found.isTurned ? yield* turned(rows, found.rows, found.columns) : rows
    own[found.place] = { type, shape, data }
    return yield* runStep(step, own, unlimited)
  }
}

/** The weights row by row. */
function plainOf({ weight, rows, columns, isTurned }: WeightMatrix): Float32Array {
  const data = weight.data as Float32Array
  const plain = isTurned ? finished(turned(data, columns, rows)) : data
  setScales(plain, scalesOfRows(weight, rows, columns, isTurned))
  return plain
}

/** All weights in float32, row by row. */
function* widened(matrix: KeptMatrix): Pass<Float32Array> {
  const { rows, columns } = matrix
  const made = zeros(rows * columns)
  const some = max(1, floor(stretch / columns))
  for (let r = 0; r < rows; r += some) {
    const count = min(some, rows - r)
    matrix.read(r, count, viewOf(made, r * columns, count * columns))
    yield
  }
  return made
}

/** (A, B) → (B, A) */
function* turned(values: Float32Array, A: number, B: number): Pass<Float32Array> {
  const made = zeros(A * B)
  yield* rowByRow(A, B, (a, from, to) => {
    for (let b = from; b < to; b++) made[b * A + a] = values[a * B + b]
  })
  return made
}
