/** One step on its way to instructions: its inputs, its attributes, and what it may ask for. */

import { Budget } from '../../graph/budget.ts'
import { type Call, madeAtOnce } from '../../graph/call.ts'
import { operatorOf } from '../../graph/operators/index.ts'
import type { PlanValue, Step } from '../../graph/plan.ts'
import { callOfStep } from '../../graph/step.ts'
import { axesOf, count, type ElementType, type GraphTensor, phantom } from '../../graph/tensor.ts'
import type { Instruction } from './emit.ts'
import { type Lowering, refuse } from './lowering.ts'
import { type Element, orderOf, reshaped, spread, type View } from './views.ts'

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
    return callOfStep(this.step, values, Budget.unbounded(), isDry, (what) => this.fail(what))
  }

  /** What the operator makes of inputs that are all known. */
  computed(): readonly GraphTensor[] {
    return madeAtOnce(operatorOf(this.step.domain, this.step.opType)!.run, this.#called(false))
  }

  fail(what: string): never {
    return refuse(this.step.label, what)
  }

  /** How many inputs there are. */
  get arity(): number {
    return this.step.inputs.length
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
  result(i = 0): { readonly type: Element; readonly shape: readonly number[] } {
    const { type, shape } = this.to.plan.values[this.step.outputs[i]]!
    return { type: this.to.element(type), shape }
  }

  wants(i: number): boolean {
    return (this.step.outputs[i] ?? -1) >= 0
  }

  make(type: Element, shape: readonly number[], order?: readonly number[]): View {
    return this.to.make(type, shape, order)
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

  /** The values as another type; the view itself where they are. */
  cast(view: View, type: Element): View {
    if (view.type === type) return view
    const made = this.make(type, view.shape, orderOf(view))
    this.emit('cast', [view], [made])
    return made
  }

  /** One value as often as a shape has places. */
  scalar(type: Element, value: number | bigint, shape: readonly number[] = []): View {
    const array =
      { float32: Float32Array, int32: Int32Array, int64: BigInt64Array, int8: Int8Array }[type as string] ?? Uint8Array
    const data = new (array as new (length: number) => GraphTensor['data'])(1)
    data[0] = (type === 'int64' ? BigInt(value) : Number(value)) as never
    return spread(this.to.constant({ type: type as ElementType, shape: [], data }), shape)
  }

  /** Numbers that the compiler made. */
  floats(data: Float32Array, shape: readonly number[]): View {
    return this.to.constant({ type: 'float32', shape, data })
  }

  /** Memory for what is computed place by place from these: in the order of the largest that is not repeated. */
  likeThese(type: Element, shape: readonly number[], inputs: readonly View[]): View {
    const size = (view: View) => count(view.shape) + (view.memory.data ? 0 : 0.5)
    const [largest] = inputs.toSorted((a, b) => size(b) - size(a))
    return this.make(type, shape, largest ? orderOf(spread(largest, shape)) : axesOf(shape))
  }

  map(fn: number, x: View, alpha = 0, beta = 0, type: Element = x.type): View {
    const y = this.make(type, x.shape, orderOf(x))
    this.emit('map', [fn, alpha, beta, x], [y])
    return y
  }

  zip(fn: number, a: View, b: View, shape: readonly number[], type: Element = a.type): View {
    const y = this.likeThese(type, shape, [a, b])
    this.emit('zip', [fn, spread(a, shape), spread(b, shape)], [y])
    return y
  }
}

function known({ type, shape, constant, expected }: PlanValue): GraphTensor {
  return constant ?? expected ?? phantom(type, shape)
}
