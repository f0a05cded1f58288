/** From a flat graph and the shapes of its inputs to a plan: every shape settled, what shapes alone decide computed, and what nothing needs dropped. */

import { describe, fail, failShape, list, some } from '../errors.ts'
import { Budget, ofShapes } from './budget.ts'
import { NeedsValue } from './call.ts'
import { checkShapes } from './declared.ts'
import type { Branch, Carry, FlatGraph, GraphValue, Plan, PlanValue, Step } from './plan.ts'
import { Prune } from './prune.ts'
import { isRecurrent, isWeight } from './recurrent/parts.ts'
import { type Budgets, refuseStep, settleStep } from './step.ts'
import { areAlike, count, type GraphTensor, kindOf, lengthOf, phantom } from './tensor.ts'

/** What a plan is made for. */
export interface Sizes {
  /** In the order of the graph's inputs; they fit what is declared. */
  readonly shapes: readonly (readonly number[])[]
  /** Values of inputs that shapes or branches depend on, by their place. */
  readonly values: ReadonlyMap<number, GraphTensor>
  readonly carries: readonly Carry[]
}

/** The answer where a plan depends on what stands in inputs: which, by their places. */
export class NeedsInputs {
  readonly places: readonly number[]

  constructor(places: readonly number[]) {
    this.places = places
  }
}

/** Results of more values are computed at run time even where shapes alone decide them, so that no plan keeps them. */
const mostKept = 2 ** 20
/** So many values of integer inputs may decide a plan, or a single floating-point one; a branch only by fewer, for else it is chosen in a run. */
const mostDeciding = { shape: 2 ** 10, branch: 32 }
/** Of so many inputs. */
const mostPlaces = 16

/** Makes a plan, or says which inputs' values it needs. `budget` is for all values of a run together. */
export function settle(graph: FlatGraph, sizes: Sizes, budget: Budget): Plan | NeedsInputs {
  try {
    return new Settling(graph, sizes, budget).plan()
  } catch (error) {
    if (error instanceof NeedsInputs) return error
    throw error
  }
}

const valuesOf = ({ name, type }: GraphValue) => `the values of the input ${describe(name)}, which are ${type}`

function refuseOpen(step: Step, place: number, why: string): never {
  const role = isRecurrent(step) ? 'is a weight' : 'decides a shape'
  return refuseStep(step, `its input ${place} ${role} and must be known before a run, but depends on ${why}`)
}

class Settling {
  readonly #graph: FlatGraph
  readonly #sizes: Sizes
  readonly #budgets: Budgets
  readonly #tensors: (GraphTensor | undefined)[] = []
  /** What stands for the output of a step that gives an input back, or of a decided branch. */
  readonly #same = new Map<number, number>()
  /** The places of the inputs that a value is computed from, but for their shapes; more than `mostPlaces` are not counted. */
  readonly #origins = new Map<number, readonly number[]>()

  constructor(graph: FlatGraph, sizes: Sizes, budget: Budget) {
    this.#graph = graph
    this.#sizes = sizes
    this.#budgets = { run: budget, now: new Budget(budget.bytes, ofShapes), mostKept }
    checkShapes(graph.inputs, sizes.shapes)
    for (const [number, tensor] of graph.constants) this.#tensors[number] = tensor
    for (const [place, { value, type }] of graph.inputs.entries()) {
      const known = sizes.values.get(place)
      // A plan outlives the arrays of the call that it was made for.
      this.#tensors[value] = known ? { ...known, data: known.data.slice() } : phantom(type, sizes.shapes[place])
      if (known === undefined) this.#origins.set(value, [place])
    }
  }

  plan(): Plan {
    const wanted = new Prune(this.#graph.outputs.map(({ value }) => value)).steps(this.#graph.steps)
    const steps = this.#steps(wanted)
    const inputs = this.#graph.inputs.map(({ value }) => value)
    const outputs = this.#graph.outputs.map(({ value }) => this.#resolved(value))
    this.#checkOutputs(outputs)
    const prune = new Prune(outputs)
    const kept = prune.steps(steps)
    const values: (PlanValue | undefined)[] = []
    const add = (number: number, as: 'constant' | 'expected') => {
      const tensor = this.#tensors[number]!
      const { type, shape, isPhantom } = tensor
      values[number] = isPhantom ? { type, shape } : { type, shape, [as]: tensor }
    }
    for (const number of prune.needed) add(number, 'constant')
    // The value of an input is the caller's, even where the plan knows what it will be.
    for (const number of inputs) add(number, 'expected')
    return { values, steps: kept, inputs, outputs, carries: this.#sizes.carries }
  }

  #checkOutputs(outputs: readonly number[]): void {
    for (const [place, { name, type }] of this.#graph.outputs.entries()) {
      const made = this.#tensors[outputs[place]]!
      if (made.type === type) continue
      fail(
        'ERR_RNN_MODEL_FILE',
        `The model cannot be run: the output ${describe(name)} is declared as ${type}, and is ${made.type}`,
      )
    }
    for (const { input, output } of this.#sizes.carries) {
      const [from, to] = [this.#tensors[outputs[output]]!, this.#tensors[this.#graph.inputs[input].value]!]
      if (areAlike(from, to)) continue
      const [state, next] = [this.#graph.inputs[input].name, this.#graph.outputs[output].name]
      failShape(
        `The output ${describe(next)}, ${from.type} ${list(from.shape)}, cannot take the place of the input ${describe(state)}, ${to.type} ${list(to.shape)}`,
      )
    }
  }

  /** Adds the steps that are left of these to `left`, with the values that stand for theirs. */
  #steps(steps: readonly Step[], left: Step[] = []): Step[] {
    for (const step of steps) {
      const own = { ...step, inputs: step.inputs.map((value) => this.#resolved(value)) }
      if (step.branches === undefined) this.#settle(own, left)
      else this.#choose(own, step.branches, left)
    }
    return left
  }

  #resolved(value: number): number {
    return this.#same.get(value) ?? value
  }

  #settle(step: Step, left: Step[]): void {
    if (isRecurrent(step)) this.#refuseGivenWeights(step)
    const inputs = step.inputs.map((value) => this.#tensors[value])
    const made = this.#made(step, inputs)
    const origins = this.#joined(step.inputs)
    let isKnown = true
    for (const [i, value] of step.outputs.entries()) {
      if (value < 0) continue
      const tensor = made[i] ?? refuseStep(step, `it has no output ${i}`)
      const same = inputs.indexOf(tensor)
      if (same >= 0) {
        this.#same.set(value, step.inputs[same])
        continue
      }
      this.#tensors[value] = tensor
      if (!tensor.isPhantom) continue
      this.#origins.set(value, origins)
      isKnown = false
    }
    if (!isKnown) left.push(step)
  }

  #made(step: Step, inputs: readonly (GraphTensor | undefined)[]): readonly GraphTensor[] {
    try {
      return settleStep(step, inputs, this.#budgets, (what) => this.#refuse(step, what))
    } catch (error) {
      if (!(error instanceof NeedsValue)) throw error
      const { place } = error
      throw new NeedsInputs(
        this.#deciding(step.inputs[place], mostDeciding.shape, (why) => refuseOpen(step, place, why)),
      )
    }
  }

  /** The values of an input are the caller's at each run, even where shapes have asked for them. */
  #refuseGivenWeights(step: Step): void {
    for (const [place, value] of step.inputs.entries()) {
      if (!isWeight(place)) continue
      const given = this.#graph.inputs.find((input) => input.value === value)
      if (given !== undefined) refuseOpen(step, place, valuesOf(given))
    }
  }

  /** The fault of the shapes that came, where the file leaves any open. */
  #refuse(step: Step, what: string): never {
    const isClosed = ({ shape }: GraphValue) => shape?.every((size) => typeof size === 'number')
    if (this.#graph.inputs.every(isClosed)) return refuseStep(step, what)
    const given = this.#graph.inputs.map(({ name }, place) => `${describe(name)} ${list(this.#sizes.shapes[place])}`)
    const { label, opset } = step
    return failShape(`Inputs ${some(given, 8, ', ')} do not fit the model: ${label}, opset ${opset}: ${what}`)
  }

  /** An If: one of its branches where its condition is known, else both. */
  #choose(step: Step, branches: readonly [Branch, Branch], left: Step[]): void {
    const condition = this.#tensors[step.inputs[0]]!
    if (condition.type !== 'bool' || lengthOf(condition) !== 1) {
      refuseStep(step, `the condition must be one bool, got ${condition.type} of shape ${list(condition.shape)}`)
    }
    if (!condition.isPhantom) {
      const chosen = branches[condition.data[0] ? 0 : 1]
      this.#steps(chosen.steps, left)
      for (const [i, value] of step.outputs.entries()) {
        if (value >= 0) this.#same.set(value, this.#resolved(chosen.outputs[i]))
      }
      return
    }
    const places = this.#deciding(step.inputs[0], mostDeciding.branch, () => undefined)
    if (places !== undefined) throw new NeedsInputs(places)
    const [then, otherwise] = branches.map(({ steps, outputs }) => ({
      steps: this.#steps(steps),
      outputs: outputs.map((value) => this.#resolved(value)),
    }))
    const own = { ...step, branches: [then, otherwise] as const }
    for (const [i, value] of step.outputs.entries()) {
      if (value < 0) continue
      const [a, b] = [then, otherwise].map(({ outputs }) => this.#tensors[outputs[i]]!)
      if (!areAlike(a, b)) {
        const both = `${a.type} ${list(a.shape)} and ${b.type} ${list(b.shape)}`
        refuseStep(step, `its branches give ${both} as output ${i}, and its condition is only known in a run`)
      }
      this.#tensors[value] = phantom(a.type, a.shape)
      this.#origins.set(value, this.#joined([step.inputs[0], then.outputs[i], otherwise.outputs[i]]))
    }
    left.push(own)
  }

  /** The inputs whose values decide a value, where these are few integers or bools; else `refuse` gets to know what stands against it. */
  #deciding<None>(value: number, most: number, refuse: (why: string) => None): readonly number[] | None {
    const places = this.#origins.get(value) ?? []
    if (places.length === 0) return refuse(`values that are only made in a run: more than ${mostKept} of them`)
    if (places.length > mostPlaces) return refuse(`the values of more than ${mostPlaces} inputs`)
    let values = 0
    for (const place of places) {
      const input = this.#graph.inputs[place]
      const own = count(this.#sizes.shapes[place])
      values += own
      if (kindOf(input.type) === 'float' && (own > 1 || most === mostDeciding.branch)) return refuse(valuesOf(input))
      if (values > most)
        return refuse(`more than ${most} values of inputs, those of ${describe(input.name)} among them`)
    }
    return places
  }

  /** Origins of all of these values. */
  #joined(values: readonly number[]): readonly number[] {
    let joined: readonly number[] = []
    for (const value of values) {
      const own = this.#origins.get(value) ?? joined
      if (own.length > mostPlaces || joined.length === 0) joined = own
      if (joined.length > mostPlaces) return joined
      const more = own.filter((place) => !joined.includes(place))
      if (more.length > 0) joined = [...joined, ...more]
    }
    return joined
  }
}
