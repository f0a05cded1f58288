/** A plan that is being rewritten: steps and values that are put in, and states that one run leaves to the next. */

import { fail } from '../../errors.ts'
import type { Carry, Plan, PlanValue, Step } from '../plan.ts'
import { count, type ElementType, factsOf, type GraphTensor, newData } from '../tensor.ts'
import { keyOf } from './follow.ts'

/** A state as it is before the first frame. */
export interface InitialState {
  readonly name: string
  readonly initial: GraphTensor
}

/** Puts steps in the place of one. */
export type Edit = (editor: Editor, step: Step) => void

/** By what a step is known by. */
export type Edits = ReadonlyMap<number, { readonly step: Step; readonly edit: Edit }>

/** The version of ONNX's operators that steps put in are of. */
const opset = 13

export class Editor {
  readonly states: InitialState[] = []
  readonly #plan: Plan
  readonly #values: (PlanValue | undefined)[]
  readonly #steps: Step[] = []
  readonly #inputs: number[]
  readonly #outputs: number[]
  readonly #carries: Carry[] = []

  constructor(plan: Plan, values: readonly (PlanValue | undefined)[]) {
    this.#plan = plan
    this.#values = [...values]
    this.#inputs = [...plan.inputs]
    this.#outputs = [...plan.outputs]
  }

  /** The plan with an edit of every step that has one. */
  edited(edits: Edits): Plan {
    for (const step of this.#plan.steps) {
      const found = edits.get(keyOf(step))
      if (found === undefined) this.add(step)
      else found.edit(this, step)
    }
    return {
      values: this.#values,
      steps: this.#steps,
      inputs: this.#inputs,
      outputs: this.#outputs,
      carries: [...this.#plan.carries, ...this.#carries],
    }
  }

  of(value: number): PlanValue {
    return this.#values[value] ?? fail('ERR_RNN_MODEL_FILE', `value ${value} of a plan has no shape`)
  }

  value(type: ElementType, shape: readonly number[], constant?: GraphTensor): number {
    return this.#values.push({ type, shape, ...(constant && { constant }) }) - 1
  }

  /** A known list of integers. */
  integers(values: readonly number[]): number {
    const data = BigInt64Array.from(values, BigInt)
    return this.value('int64', [values.length], { type: 'int64', shape: [values.length], data })
  }

  add(step: Step): void {
    this.#steps.push(step)
  }

  /**
   * What a step made is another value from here on. A step stays in its place: in a whole run the one that was there keeps what follows apart
   * from what is before, and both have the same bits.
   */
  rename(step: Step, value: number): void {
    this.add({ ...step, domain: '', opType: 'Identity', opset, inputs: [value], attributes: new Map() })
  }

  /** The value that a state has in a run. */
  input(initial: GraphTensor): number {
    const value = this.value(initial.type, initial.shape)
    this.#inputs.push(value)
    return value
  }

  /** What a state becomes. */
  carry(name: string, from: number, to: number, initial: GraphTensor): void {
    this.#carries.push({ output: this.#outputs.push(to) - 1, input: this.#inputs.indexOf(from) })
    // A function that is called twice has the same steps twice.
    const own = (n: number): string => (n === 1 ? name : `${name} ${n}`)
    let n = 1
    while (this.states.some((state) => state.name === own(n))) n++
    this.states.push({ name: own(n), initial })
  }

  /**
   * The last frames of before in front of the `fresh` first of a value, whatever it has behind them, which the whole of it then has in front
   * of its own: a value longer by as many frames as the state has.
   */
  preceded(step: Step, value: number, axis: number, fresh: number, past: number, fill: number): number {
    const { type, shape } = this.of(value)
    const sized = (size: number) => shape.map((own, i) => (i === axis ? size : own))
    const initial = filled(type, sized(past), fill)
    const state = this.input(initial)
    const [whole, next] = [this.value(type, sized(past + shape[axis])), this.value(type, sized(past))]
    const own = { label: step.label, domain: '', opset }
    this.add({
      ...own,
      opType: 'Concat',
      inputs: [state, value],
      outputs: [whole],
      attributes: new Map([['axis', axis]]),
    })
    const ends = [[fresh], [fresh + past], [axis]].map((list) => this.integers(list))
    this.add({ ...own, opType: 'Slice', inputs: [whole, ...ends], outputs: [next], attributes: new Map() })
    this.carry(`${step.label}: frames`, state, next, initial)
    return whole
  }
}

export function filled(type: ElementType, shape: readonly number[], fill: number): GraphTensor {
  const data = newData(type, count(shape))
  if (fill !== 0) data.fill((factsOf(type).kind === 'big' ? BigInt(fill) : fill) as never)
  return { type, shape, data }
}
