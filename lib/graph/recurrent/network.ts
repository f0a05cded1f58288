/** The network that a recurrent step of a plan runs, and how its inputs and outputs lie. */

import type { CellWeights, NetworkSpec } from '../../spec/spec.ts'
import type { Precision } from '../../spec/weight-types.ts'
import { unlimited } from '../budget.ts'
import type { Step } from '../plan.ts'
import { refuseStep } from '../step.ts'
import type { GraphTensor } from '../tensor.ts'
import { nodeNetwork } from './node.ts'
import { inNameOf, nodeParts } from './parts.ts'

/** Made of a step whose weights are known. */
export interface RecurrentNetwork {
  /** One layer. */
  readonly spec: NetworkSpec
  /** One for each direction, in PyTorch's order of gates; fresh arrays. */
  readonly weights: readonly CellWeights[]
  /**
   * ONNX's `layout` 1: X (B, T, I), Y (B, T, D, H), states (B, D, H). Else X (T, B, I), Y (T, D, B, H), states (D, B, H). A network's own
   * output is (T, B, D·H) or (B, T, D·H), and its states are (D, B, H) in both cases.
   */
  readonly batchFirst: boolean
}

/** `constant` gives a value of the plan that is known, by its number. */
export function recurrentNetwork(
  step: Step,
  constant: (value: number) => GraphTensor | undefined,
  threads: number,
  precision: Precision,
): RecurrentNetwork {
  const refuse = (what: string) => refuseStep(step, what)
  const weight = (place: number, what: string) => {
    const value = step.inputs[place] ?? -1
    return value < 0 ? undefined : (constant(value) ?? refuse(`its ${what} is not constant`))
  }
  const parts = nodeParts(step.opType, step.attributes, weight, unlimited, refuse)
  const { batchFirst, weights, ...own } = inNameOf(refuse, () => nodeNetwork(parts))
  return { spec: { ...own, projSize: 0, numLayers: 1, threads, ...precision }, weights, batchFirst }
}
