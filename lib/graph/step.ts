/** One step of a compiled graph: runs it through the registry of operators, or asks it for types and shapes alone. */

import { fail } from '../errors.ts'
import type { Budget } from './budget.ts'
import { Call } from './call.ts'
import { operatorOf } from './operators/index.ts'
import type { Step } from './plan.ts'
import { recurrentOf } from './recurrent/shapes.ts'
import type { GraphTensor } from './tensor.ts'

/** Throws the error of a step: a file that cannot be run as it asks to be. */
export function refuseStep({ label, opset }: Step, what: string): never {
  return fail('ERR_RNN_MODEL_FILE', `The model cannot be run: ${label}, opset ${opset}: ${what}`)
}

/**
 * The outputs of a step. In a dry call inputs may be phantoms, and so are the outputs but for those that shapes alone decide; a value
 * that is needed throws NeedsValue. Recurrent steps and If are dry alone, or not at all: what they compute is not the registry's.
 */
export function runStep(
  step: Step,
  inputs: readonly (GraphTensor | undefined)[],
  budget: Budget,
  isDry = false,
): readonly GraphTensor[] {
  const refuse = (what: string) => refuseStep(step, what)
  const row = operatorOf(step.domain, step.opType) ?? (isDry ? recurrentOf(step.domain, step.opType) : undefined)
  if (row === undefined) return refuse('the operator is not supported')
  const site = {
    outputs: step.outputs.map((value) => (value < 0 ? '' : 'wanted')),
    fail: refuse,
    isStep: true as const,
  }
  const made = row.run(new Call(site, inputs, step.attributes, step.opset, budget, isDry))
  return Array.isArray(made) ? made : [made as GraphTensor]
}
