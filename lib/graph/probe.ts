/** Looks for what cannot be run at any sizes, before any are known: goes over all steps with sizes that are made up where the file leaves them open. */

import { Budget, ofShapes, unlimited } from './budget.ts'
import { NeedsValue } from './call.ts'
import type { FlatGraph, Step } from './plan.ts'
import { type Budgets, settleStep } from './step.ts'
import { areAlike, type GraphTensor, phantom } from './tensor.ts'

/** A multiple of most strides, and longer than most kernels. */
const madeUp = 64

/** A step whose sizes do not fit made-up ones: nothing is known of what follows from it. */
class Unclear {}

type Known = Map<number, GraphTensor>

/** Refuses types and attributes that are not supported, as far as the types and ranks of values can be told. */
export function probe({ inputs, constants, steps }: FlatGraph): void {
  const known = new Map<number, GraphTensor>(constants)
  const budgets = { run: unlimited, now: new Budget(0, ofShapes), mostKept: 2 ** 10 }
  for (const { value, type, shape } of inputs) {
    const sizes = shape?.map((size) => (typeof size === 'number' ? size : madeUp))
    if (sizes !== undefined) known.set(value, phantom(type, sizes))
  }
  probeSteps(steps, known, budgets)
}

function probeSteps(steps: readonly Step[], known: Known, budgets: Budgets): void {
  for (const step of steps) {
    const made =
      step.branches === undefined ? probed(step, known, budgets) : probedChoice(step.branches, known, budgets)
    for (const [i, value] of step.outputs.entries()) {
      const tensor = made[i]
      if (value >= 0 && tensor !== undefined) known.set(value, tensor)
    }
  }
}

/** What both branches give alike. */
function probedChoice(
  [then, otherwise]: NonNullable<Step['branches']>,
  known: Known,
  budgets: Budgets,
): (GraphTensor | undefined)[] {
  probeSteps(then.steps, known, budgets)
  probeSteps(otherwise.steps, known, budgets)
  return then.outputs.map((value, i) => {
    const [a, b] = [known.get(value), known.get(otherwise.outputs[i])]
    return a && b && areAlike(a, b) ? phantom(a.type, a.shape) : undefined
  })
}

function probed(step: Step, known: Known, budgets: Budgets): readonly GraphTensor[] {
  const inputs = step.inputs.map((value) => known.get(value))
  if (step.inputs.some((value, i) => value >= 0 && inputs[i] === undefined)) return []
  try {
    return settleStep(step, inputs, budgets, () => {
      throw new Unclear()
    })
  } catch (error) {
    if (error instanceof Unclear || error instanceof NeedsValue) return []
    throw error
  }
}
