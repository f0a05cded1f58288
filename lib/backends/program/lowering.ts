/** From a plan to instructions: where each value lies, which steps are done with another one, and what runs in which order. */

import { fail, list } from '../../errors.ts'
import type { Plan, Step } from '../../graph/plan.ts'
import { axesOf, count, type ElementType, type GraphTensor } from '../../graph/tensor.ts'
import { aligned } from './arena.ts'
import type { Instruction } from './emit.ts'
import { simplified } from './patterns.ts'
import { Uses } from './uses.ts'
import { type Element, isDense, moved, stridesIn, type View, viewIn, viewOfTensor } from './views.ts'
import type { PackedWeights } from './weights.ts'

const elements: Partial<Record<ElementType, Element>> = {
  float32: 'float32',
  float16: 'float32',
  int32: 'int32',
  int64: 'int64',
  bool: 'bool',
  uint8: 'uint8',
  int8: 'int8',
}

/** Whether compiled programs have values of a type. */
export function hasElements(type: ElementType): boolean {
  return elements[type] !== undefined
}

/** What operators make on their way has as few values as what they give: less than this. */
const mostValues = 2 ** 31

/** Throws the error of the step that cannot be done. */
export function refuse(label: string, what: string): never {
  return fail('ERR_RNN_MODEL_FILE', `The ONNX file cannot run on this backend: ${label}: ${what}`)
}

/** Emits what a step does, and gives where its outputs lie; undefined for an operator that is not known. */
export type LowerStep = (to: Lowering, step: Step) => View | readonly (View | undefined)[] | undefined

/** Values that are put before and after each axis; negative ones are taken away. */
export interface Pads {
  readonly before: readonly number[]
  readonly after: readonly number[]
}

/** The instructions of a plan, as they are made. */
export class Lowering {
  readonly plan: Plan
  readonly weights: PackedWeights
  /** The most threads that one run may use. */
  readonly threads: number
  /** Zeros around a value that the convolution after it takes upon itself, by the value's number. */
  readonly padded = new Map<number, { readonly view: View; readonly pads: Pads }>()
  /** Steps that are done together with another one. */
  readonly done = new Set<Step>()
  readonly uses: Uses
  /** Where values lie. */
  readonly views = new Map<number, View>()
  code: Instruction[] = []
  ioBytes = 0
  readonly #lowerOne: LowerStep
  #copies = new Map<string, View>()
  #label = 'the model'

  constructor(plan: Plan, weights: PackedWeights, lowerOne: LowerStep, threads: number) {
    this.plan = simplified(plan)
    this.threads = threads
    this.weights = weights
    this.#lowerOne = lowerOne
    this.uses = new Uses(this.plan)
  }

  /** Everything that a run does; gives where inputs and outputs lie. */
  lower(): { inputs: View[]; outputs: View[] } {
    const { inputs, outputs, carries, steps } = this.plan
    const places = inputs.map((value) => this.#external(value, true))
    for (const [i, value] of inputs.entries()) this.views.set(value, places[i])
    this.#lowerSteps(steps)
    this.#label = 'an output'
    const results = outputs.map((value) => this.#external(value, false))
    for (const [i, value] of outputs.entries()) this.emit('copy', [this.view(value)], [results[i]])
    // After all that may fail, and all that reads the old states.
    this.#label = 'a state'
    for (const { output, input } of carries) this.emit('copy', [results[output]], [places[input]])
    return { inputs: places, outputs: results }
  }

  #external(value: number, isInput: boolean): View {
    const { type, shape } = this.plan.values[value]!
    const element = this.element(type, isInput ? 'an input' : 'an output')
    const view = viewIn('io', element, shape)
    view.memory.isInput = isInput
    view.memory.offset = this.ioBytes
    this.ioBytes += aligned(view.memory.bytes)
    return view
  }

  #lowerSteps(steps: readonly Step[]): void {
    for (const step of steps) {
      if (this.done.has(step)) continue
      this.#label = step.label
      if (step.branches) this.#lowerBranches(step)
      else this.#lowerStep(step)
    }
  }

  #lowerStep(step: Step): void {
    const wanted = step.outputs.filter((value) => value >= 0)
    if (wanted.every((value) => count(this.plan.values[value]!.shape) === 0)) {
      for (const value of wanted) this.views.set(value, this.#room(value))
      return
    }
    const made = [this.#lowerOne(this, step) ?? refuse(step.label, 'this operator is not supported')].flat()
    for (const [i, value] of step.outputs.entries()) if (value >= 0 && made[i]) this.views.set(value, made[i])
  }

  /** Both branches write to the same memory; copies that one of them makes are not there for others. */
  #lowerBranches({ label, inputs, outputs, branches }: Step): void {
    const results = outputs.map((value) => (value < 0 ? undefined : this.#room(value)))
    const head = [this.view(inputs[0]), 0, 0]
    this.emit('branch', head, [])
    for (const [which, branch] of branches!.entries()) {
      const [begin, copies] = [this.code.length, this.#copies]
      this.#copies = new Map(copies)
      this.#lowerSteps(branch.steps)
      this.#label = label
      for (const [i, result] of results.entries()) {
        if (result) this.emit('copy', [this.view(branch.outputs[i])], [result])
      }
      this.#copies = copies
      head[which + 1] = this.code.length - begin
    }
    for (const [i, result] of results.entries()) if (result) this.views.set(outputs[i], result)
  }

  /** Memory for a value. */
  #room(value: number): View {
    const { type, shape } = this.plan.values[value]!
    return this.make(this.element(type), shape)
  }

  /** Outputs stand behind all inputs. What has no values is not done. */
  emit(name: Instruction['name'], inputs: Instruction['inputs'], outputs: Instruction['outputs']): void {
    if (outputs.some((view) => view && count(view.shape) === 0)) return
    this.code.push({ name, inputs, outputs, label: this.#label })
  }

  /** Memory of its own, its axes in this order. */
  make(type: Element, shape: readonly number[], order?: readonly number[]): View {
    if (count(shape) >= mostValues) refuse(this.#label, `on its way are 2^31 values or more, of shape ${list(shape)}`)
    return viewIn('scratch', type, shape, order)
  }

  /** The same values without gaps and with the axes in this order: a copy where they do not lie so, made once. */
  dense(view: View, order: readonly number[] = axesOf(view.shape)): View {
    const strides = stridesIn(view.shape, order)
    if (isDense(view, order) || count(view.shape) === 0) return { ...view, strides }
    const key = [view.memory.id, view.type, view.start, view.shape, view.strides, order].join(';')
    let made = this.#copies.get(key)
    if (made) return made
    if (view.memory.data) made = moved(view, order)
    else {
      made = this.make(view.type, view.shape, order)
      this.emit('copy', [view], [made])
    }
    this.#copies.set(key, made)
    return made
  }

  /** A tensor among the constants of the program. */
  constant(tensor: GraphTensor, what = 'a constant'): View {
    return viewOfTensor(tensor, this.element(tensor.type, what))
  }

  /** How values of a type lie in memory. */
  element(type: ElementType, what = 'a value'): Element {
    return elements[type] ?? refuse(this.#label, `${what} of type ${type} is not supported`)
  }

  view(value: number): View {
    const view = this.views.get(value) ?? this.constant(this.plan.values[value]!.constant!)
    this.views.set(value, view)
    return view
  }
}
