/** A plan on the TypeScript backend: the registry's operators one after another, and what each gives held against what the plan says. */

import { unlimited } from '../../graph/budget.ts'
import { finished, type Pass } from '../../graph/pace.ts'
import type { Branch, Plan, PlanValue, Step } from '../../graph/plan.ts'
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

/** Runs have no bound: the plan's shapes were bounded when it was made. */
export class TypeScriptProgram implements Program {
  readonly #plan: Plan
  readonly #precision: Precision
  readonly #store: WeightStore
  /** Steps that have made something of their weights. */
  readonly #own = new Map<Step, OwnStep>()

  constructor(plan: Plan, store: WeightStore, precision: Precision) {
    this.#plan = plan
    this.#precision = precision
    this.#store = store
    this.#prepare(plan.steps)
  }

  #prepare(steps: readonly Step[]): void {
    for (const step of steps) {
      const own = isRecurrent(step)
        ? recurrentStep(step, this.#plan.values, this.#precision)
        : keptStep(step, this.#plan.values, this.#store, this.#precision)
      if (own) this.#own.set(step, own)
      for (const { steps: inner } of step.branches ?? []) this.#prepare(inner)
    }
  }

  instance(): ProgramInstance {
    return new TypeScriptInstance(this.#plan, this.#own)
  }

  dispose(): void {}
}

class TypeScriptInstance implements ProgramInstance {
  readonly inputs: readonly GraphData[]
  readonly outputs: readonly GraphData[]
  readonly #plan: Plan
  readonly #own: ReadonlyMap<Step, OwnStep>

  constructor(plan: Plan, own: ReadonlyMap<Step, OwnStep>) {
    this.#plan = plan
    this.#own = own
    this.inputs = plan.inputs.map((value) => arrayOf(plan.values[value]!))
    this.outputs = plan.outputs.map((value) => arrayOf(plan.values[value]!))
  }

  run(): void {
    finished(this.#pass())
  }

  start(settle: (error?: Error) => void): () => void {
    return runInSlices(this.#pass(), (result) => settle(isArray(result) ? undefined : (result as Error)))
  }

  dispose(): void {}

  /** Stops in each step and after it. Nothing that anybody sees is written before all steps have succeeded. */
  *#pass(): Pass<readonly GraphTensor[]> {
    const { values, inputs, outputs, steps, carries } = this.#plan
    const known: (GraphTensor | undefined)[] = []
    for (let i = 0; i < values.length; i++) known[i] = values[i]?.constant
    for (let i = 0; i < inputs.length; i++) {
      const { type, shape } = values[inputs[i]]!
      known[inputs[i]] = { type, shape, data: this.inputs[i] }
    }
    yield* this.#steps(steps, known)
    const results: GraphTensor[] = []
    for (let i = 0; i < outputs.length; i++) results[i] = knownValue(known, outputs[i])
    for (let i = 0; i < outputs.length; i++) {
      const [from, to] = [bytesOf(results[i].data), bytesOf(this.outputs[i])]
      const bytes = bytesIn(from)
      for (let at = 0; at < bytes; at += copiedBytes) {
        setValues(to, viewOfBytes(from, at, min(copiedBytes, bytes - at)), at)
        yield
      }
    }
    // The end of the stack must not find some states moved and others not.
    ensureStack()
    // From the outputs' own arrays: a state may be the input of another one.
    for (const { output, input } of carries) setValues(this.inputs[input], this.outputs[output])
    return results
  }

  *#steps(steps: readonly Step[], known: (GraphTensor | undefined)[]): Pass<void> {
    for (const step of steps) {
      if (step.branches === undefined) yield* this.#step(step, known)
      else yield* this.#branch(step, step.branches, known)
      yield
    }
  }

  *#branch(step: Step, branches: readonly [Branch, Branch], known: (GraphTensor | undefined)[]): Pass<void> {
    const condition = knownValue(known, step.inputs[0])
    const branch = condition.data[0] ? branches[0] : branches[1]
    yield* this.#steps(branch.steps, known)
    for (let i = 0; i < step.outputs.length; i++) {
      if (step.outputs[i] < 0) continue
      const made = knownValue(known, branch.outputs[i])
      this.#keep(step, step.outputs[i], made, known)
    }
  }

  *#step(step: Step, known: (GraphTensor | undefined)[]): Pass<void> {
    const inputs: (GraphTensor | undefined)[] = []
    for (let i = 0; i < step.inputs.length; i++) {
      const value = step.inputs[i]
      inputs[i] = value < 0 ? undefined : knownValue(known, value)
    }
    const own = this.#own.get(step)
    const made = yield* own ? own(inputs) : madeBy(step, inputs)
    for (let i = 0; i < step.outputs.length; i++) this.#keep(step, step.outputs[i], made[i], known)
  }

  #keep(step: Step, value: number, made: GraphTensor | undefined, known: (GraphTensor | undefined)[]): void {
    if (value < 0) return
    const { type, shape } = this.#plan.values[value]!
    if (made?.type !== type || `${made.shape}` !== `${shape}`) {
      const got = made === undefined ? 'nothing' : `${made.type} [${made.shape}]`
      throw new Error(`native-rnn: ${step.label} gives ${got} where its plan says ${type} [${shape}]`)
    }
    known[value] = made
  }
}

/** What the registry refuses now, with types and shapes that it took when the plan was made, it refuses for a value. */
function* madeBy(step: Step, inputs: readonly (GraphTensor | undefined)[]): Pass<readonly GraphTensor[]> {
  try {
    return yield* runStep(step, inputs, unlimited)
  } catch (error) {
    if (error instanceof RangeError) throw error // no memory
    throw stepFailed(step.label, error)
  }
}

const arrayOf = ({ type, shape }: PlanValue): GraphData => newData(type, count(shape))

function knownValue(known: readonly (GraphTensor | undefined)[], value: number): GraphTensor {
  const made = known[value]
  if (made) return made
  throw new Error(`native-rnn: the plan reads value ${value} before anything makes it`)
}
