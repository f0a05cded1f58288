/** One step on its way to instructions: its inputs, its attributes, and what it may ask for. */

import { unlimited } from '../../graph/budget.ts'
import { type Call, madeAtOnce } from '../../graph/call.ts'
import { operatorOf } from '../../graph/operators/index.ts'
import type { PlanValue, Step } from '../../graph/plan.ts'
import { callOfStep } from '../../graph/step.ts'
import { count, type GraphTensor, newData, phantom } from '../../graph/tensor.ts'
import { mapFunction, zipFunction } from '../protocol.ts'
import type { Instruction } from './emit.ts'
import { type Lowering, refuse } from './lowering.ts'
import { type Element, orderOf, orderOfLargest, reshaped, spread, type View } from './views.ts'

/** Type and shape of what is made. */
type Made = Pick<View, 'type' | 'shape'>

export class Op {
  readonly step: Step
  /** Reads attributes and inputs that are constants, by the rules of the operators in TypeScript. */
  readonly call: Call
  readonly to: Lowering

  constructor(to: Lowering, step: Step) {
    this.to = to
    this.step = step
    this.call = this.#called(true)
  }

  #called(isDry: boolean): Call {
    const values = this.step.inputs.map((value) => (value < 0 ? undefined : known(this.to.plan.values[value]!)))
    return callOfStep(this.step, values, unlimited, isDry, (what) => this.fail(what))
  }

  /** What the operator makes of inputs that are all known. */
  computed(): readonly GraphTensor[] {
    return madeAtOnce(operatorOf(this.step.domain, this.step.opType)!.run, this.#called(false))
  }

  fail(what: string): never {
    return refuse(this.step.label, what)
  }

  /** All inputs, which must be there. */
  get views(): View[] {
    return this.step.inputs.map((_, place) => this.view(place))
  }

  view(place: number): View {
    return this.optional(place) ?? this.fail(`input ${place} is missing`)
  }

  optional(place: number): View | undefined {
    const value = this.step.inputs[place] ?? -1
    return value < 0 ? undefined : this.to.view(value)
  }

  /** An input that is known already. */
  constant(place: number): GraphTensor | undefined {
    const value = this.step.inputs[place] ?? -1
    return value < 0 ? undefined : this.to.plan.values[value]!.constant
  }

  /** Type and shape of an output. */
  result(i = 0): Made {
    const { type, shape } = this.to.plan.values[this.step.outputs[i]]!
    return { type: this.to.element(type), shape }
  }

  wants(i: number): boolean {
    return (this.step.outputs[i] ?? -1) >= 0
  }

  make(type: Element, shape: readonly number[], order?: readonly number[]): View {
    return this.to.make(type, shape, order)
  }

  /** Memory for an output; undefined where nobody wants it. */
  wanted(i: number, type: Element, shape: readonly number[], order?: readonly number[]): View | undefined {
    return this.wants(i) ? this.make(type, shape, order) : undefined
  }

  dense(view: View, order?: readonly number[]): View {
    return this.to.dense(view, order)
  }

  emit(name: Instruction['name'], inputs: Instruction['inputs'], outputs: Instruction['outputs']): void {
    this.to.emit(name, inputs, outputs)
  }

  /** The same values in another shape; they move only where they must. */
  reshape(view: View, shape: readonly number[]): View {
    if (count(shape) === 0) return this.make(view.type, shape)
    return reshaped(view, shape) ?? reshaped(this.dense(view), shape)!
  }

  /** What an instruction of one output makes: memory of its own, with the type and shape of a view or an output. */
  run(name: Instruction['name'], inputs: Instruction['inputs'], like: Made, order?: readonly number[]): View {
    const made = this.make(like.type, like.shape, order)
    this.emit(name, inputs, [made])
    return made
  }

  /** The values as another type; the view itself where they are. */
  cast(view: View, type: Element): View {
    return view.type === type ? view : this.run('cast', [view], { ...view, type }, orderOf(view))
  }

  /** One value as often as a shape has places. */
  scalar(type: Element, value: number | bigint, shape: readonly number[] = []): View {
    const data = newData(type, 1)
    data[0] = (type === 'int64' ? BigInt(value) : Number(value)) as never
    return spread(this.to.constant({ type, shape: [], data }), shape)
  }

  /** Numbers that the compiler made. */
  floats(data: Float32Array, shape: readonly number[]): View {
    return this.to.constant({ type: 'float32', shape, data })
  }

  map(name: keyof typeof mapFunction, x: View, alpha = 0, beta = 0): View {
    return this.run('map', [mapFunction[name], alpha, beta, x], x, orderOf(x))
  }

  zip(name: keyof typeof zipFunction, a: View, b: View, shape = a.shape, type = a.type): View {
    const inputs = [zipFunction[name], spread(a, shape), spread(b, shape)]
    return this.run('zip', inputs, { type, shape }, orderOfLargest([a, b], shape))
  }
}

function known({ type, shape, constant, expected }: PlanValue): GraphTensor {
  return constant ?? expected ?? phantom(type, shape)
}
