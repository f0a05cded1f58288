/** One step of a compiled graph: runs it through the registry of operators, or asks it for types and shapes alone. */

import { fail } from '../errors.ts'
import type { Budget, Refuse } from './budget.ts'
import { Call, listed, madeAtOnce } from './call.ts'
import { operatorOf } from './operators/index.ts'
import type { OperatorRow } from './operators/row.ts'
import { inSteps, type Pass } from './pace.ts'
import type { Step } from './plan.ts'
import { isRecurrent } from './recurrent/parts.ts'
import { recurrentOf } from './recurrent/shapes.ts'
import { type GraphTensor, lengthOf } from './tensor.ts'

/** Throws the error of a step: a file that asks for what there is not. */
export function refuseStep({ label, opset }: Step, what: string): never {
  return fail('ERR_RNN_MODEL_FILE', `The model cannot be run: ${label}, opset ${opset}: ${what}`)
}

type Tensors = readonly (GraphTensor | undefined)[]

/** The outputs of a step of the registry, computed in steps of work. Recurrent steps and If are none: what they compute is the backends' own. */
export function* runStep(step: Step, inputs: Tensors, budget: Budget): Pass<readonly GraphTensor[]> {
  return listed(yield* inSteps(rowOf(step).run(callOfStep(step, inputs, budget))))
}

/** What steps may take while shapes are settled: all their values in a run, and those that are computed at once. */
export interface Budgets {
  readonly run: Budget
  readonly now: Budget
  /** Results of more values are not computed at once. */
  readonly mostKept: number
}

/**
 * The outputs of any step but If: phantoms, or the values where those of all inputs are known and the outputs are small. A value that is
 * not known and decides a shape throws NeedsValue. `refuse` gets what is wrong with these sizes.
 */
export function settleStep(
  step: Step,
  inputs: Tensors,
  { run, now, mostKept }: Budgets,
  refuse: Refuse,
): readonly GraphTensor[] {
  const row = rowOf(step)
  const made = madeAtOnce(row.run, callOfStep(step, inputs, run, true, refuse))
  const isKnown = !isRecurrent(step) && inputs.every((input) => !input?.isPhantom)
  if (!isKnown || made.some((one) => lengthOf(one) > mostKept)) return made
  return madeAtOnce(row.run, callOfStep(step, inputs, now, false, refuse))
}

/** A step as operators see it, for one that is computed otherwise than by its row of the registry. */
export function callOfStep(
  step: Step,
  inputs: Tensors,
  budget: Budget,
  isDry = false,
  refuse: Refuse = (what) => refuseStep(step, what),
): Call {
  const { outputs, attributes, opset } = step
  const site = {
    outputs: outputs.map((value) => (value < 0 ? '' : 'wanted')),
    fail: refuse,
    unsupported: (what: string) => refuseStep(step, what),
    isStep: true as const,
  }
  return new Call(site, inputs, attributes, opset, budget, isDry)
}

function rowOf(step: Step): OperatorRow {
  const { domain, opType } = step
  // A handle may ask for what no file that is read here could.
  return operatorOf(domain, opType) ?? recurrentOf(domain, opType) ?? refuseStep(step, 'the operator is not supported')
}
