/** A plan on the TypeScript backend: the registry's operators one after another, and what each gives held against what the plan says. */

import { unlimited } from '../../graph/budget.ts'
import { finished, type Pass } from '../../graph/pace.ts'
import type { Branch, Plan, Step } from '../../graph/plan.ts'
import { isRecurrent } from '../../graph/recurrent/parts.ts'
import { runStep } from '../../graph/step.ts'
import { stepFailed } from '../../graph/step-error.ts'
import { count, type GraphData, type GraphTensor, newData } from '../../graph/tensor.ts'
import { bytesIn, bytesOf, isArray, min, setValues, viewOfBytes } from '../../intrinsics/captured.ts'
import { ensureStack } from '../../intrinsics/stack.ts'
import type { Precision } from '../../spec/weight-types.ts'
import type { Program, ProgramInstance, WeightStore } from '../interface.ts'
import { copiedBytes, runInSlices } from '../turns/time-slices.ts'
import { type KeptStep, keptStep } from './kept-step.ts'
import { type RecurrentStep, recurrentStep } from './recurrent-step.ts'

/** A step that this backend computes by itself. */
type OwnStep = RecurrentStep | KeptStep

/** A value as far as a run has come. */
type Known = (GraphTensor | undefined)[]

export function createProgram(plan: Plan, store: WeightStore, precision: Precision): Program {
  const { values } = plan
  /** Steps that have made something of their weights. */
  const own = new Map<Step, OwnStep>()
  const prepare = (steps: readonly Step[]): void => {
    for (const step of steps) {
      const made = isRecurrent(step) ? recurrentStep(step, values, precision) : keptStep(step, values, store, precision)
      if (made) own.set(step, made)
      for (const { steps: inner } of step.branches ?? []) prepare(inner)
    }
  }
  prepare(plan.steps)
  return { instance: () => createInstance(plan, own), dispose() {} }
}

function createInstance(
  { values, inputs, outputs, steps, carries }: Plan,
  own: ReadonlyMap<Step, OwnStep>,
): ProgramInstance {
  const arrayOf = (value: number): GraphData => newData(values[value]!.type, count(values[value]!.shape))
  const given = inputs.map(arrayOf)
  const made = outputs.map(arrayOf)

  /** Stops in each step and after it. Nothing that anybody sees is written before all steps have succeeded. */
  function* pass(): Pass<readonly GraphTensor[]> {
    const known: Known = []
    for (let i = 0; i < values.length; i++) known[i] = values[i]?.constant
    for (let i = 0; i < inputs.length; i++) {
      const { type, shape } = values[inputs[i]]!
      known[inputs[i]] = { type, shape, data: given[i] }
    }
    yield* runAll(steps, known)
    const results: GraphTensor[] = []
    for (let i = 0; i < outputs.length; i++) results[i] = knownValue(known, outputs[i])
    for (let i = 0; i < outputs.length; i++) {
      const [from, to] = [bytesOf(results[i].data), bytesOf(made[i])]
      const bytes = bytesIn(from)
      for (let at = 0; at < bytes; at += copiedBytes) {
        setValues(to, viewOfBytes(from, at, min(copiedBytes, bytes - at)), at)
        yield
      }
    }
    // The end of the stack must not find some states moved and others not.
    ensureStack()
    // From the outputs' own arrays: a state may be the input of another one.
    for (const { output, input } of carries) setValues(given[input], made[output])
    return results
  }

  function* runAll(all: readonly Step[], known: Known): Pass<void> {
    for (const step of all) {
      const results = yield* step.branches ? branched(step, step.branches, known) : stepped(step, known)
      for (let i = 0; i < step.outputs.length; i++) keep(step, step.outputs[i], results[i], known)
      yield
    }
  }

  function* branched(step: Step, branches: readonly [Branch, Branch], known: Known): Pass<Known> {
    const condition = knownValue(known, step.inputs[0])
    const branch = condition.data[0] ? branches[0] : branches[1]
    yield* runAll(branch.steps, known)
    const results: Known = []
    for (let i = 0; i < step.outputs.length; i++) {
      results[i] = step.outputs[i] < 0 ? undefined : knownValue(known, branch.outputs[i])
    }
    return results
  }

  function* stepped(step: Step, known: Known): Pass<Readonly<Known>> {
    const operands: Known = []
    for (let i = 0; i < step.inputs.length; i++) {
      const value = step.inputs[i]
      operands[i] = value < 0 ? undefined : knownValue(known, value)
    }
    return yield* own.get(step)?.(operands) ?? madeBy(step, operands)
  }

  function keep(step: Step, value: number, result: GraphTensor | undefined, known: Known): void {
    if (value < 0) return
    const { type, shape } = values[value]!
    if (result?.type !== type || `${result.shape}` !== `${shape}`) {
      const got = result === undefined ? 'nothing' : `${result.type} [${result.shape}]`
      throw new Error(`native-rnn: ${step.label} gives ${got} where its plan says ${type} [${shape}]`)
    }
    known[value] = result
  }

  return {
    inputs: given,
    outputs: made,
    run() {
      finished(pass())
    },
    start: (settle) => runInSlices(pass(), (result) => settle(isArray(result) ? undefined : (result as Error))),
    dispose() {},
  }
}

/** What the registry refuses now, with types and shapes that it took when the plan was made, it refuses for a value. */
function* madeBy(step: Step, inputs: readonly (GraphTensor | undefined)[]): Pass<readonly GraphTensor[]> {
  try {
    // The plan's shapes were bounded when it was made.
    return yield* runStep(step, inputs, unlimited)
  } catch (error) {
    if (error instanceof RangeError) throw error // no memory
    throw stepFailed(step.label, error)
  }
}

function knownValue(known: Readonly<Known>, value: number): GraphTensor {
  const made = known[value]
  if (made) return made
  throw new Error(`native-rnn: the plan reads value ${value} before anything makes it`)
}
