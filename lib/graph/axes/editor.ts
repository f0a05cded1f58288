/** A plan that is being rewritten: steps and values that are put in, and states that one run leaves to the next. */

import type { Carry, Plan, PlanValue, Step } from '../plan.ts'
import { count, type ElementType, type GraphTensor, kindOf, newData } from '../tensor.ts'
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
    return this.#values[value]!
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
    this.#put(step, 'Identity', [value], step.outputs)
  }

  /** A step of ONNX's own operators, put in for another one. */
  #put(
    { label }: Step,
    opType: string,
    inputs: readonly number[],
    outputs: readonly number[],
    attributes: Step['attributes'] = new Map(),
  ): void {
    this.add({ label, domain: '', opType, opset, inputs, outputs, attributes })
  }

  /** The value that a state has in a run, in which it becomes `next`. */
  state(name: string, initial: GraphTensor, next: number): number {
    const value = this.value(initial.type, initial.shape)
    this.#carries.push({ output: this.#outputs.push(next) - 1, input: this.#inputs.push(value) - 1 })
    // A function that is called twice has the same steps twice.
    const own = (n: number): string => (n === 1 ? name : `${name} ${n}`)
    let n = 1
    while (this.states.some((state) => state.name === own(n))) n++
    this.states.push({ name: own(n), initial })
    return value
  }

  /**
   * The last `past` frames of before in front of a value, the `front` first of whose own are of before as well: a value longer by as many
   * frames as the state has.
   */
  preceded(step: Step, value: number, axis: number, front: number, past: number, fill: number): number {
    if (past === 0) return value
    const { type, shape } = this.of(value)
    const sized = (size: number) => shape.map((own, i) => (i === axis ? size : own))
    const [whole, next] = [this.value(type, sized(past + shape[axis])), this.value(type, sized(past))]
    const state = this.state(`${step.label}: frames`, filled(type, sized(past), fill), next)
    this.#put(step, 'Concat', [state, value], [whole], new Map([['axis', axis]]))
    const fresh = shape[axis] - front
    const ends = [[fresh], [fresh + past], [axis]].map((list) => this.integers(list))
    this.#put(step, 'Slice', [whole, ...ends], [next])
    return whole
  }
}

export function filled(type: ElementType, shape: readonly number[], fill: number): GraphTensor {
  const data = newData(type, count(shape))
  if (fill !== 0) data.fill((kindOf(type) === 'big' ? BigInt(fill) : fill) as never)
  return { type, shape, data }
}
