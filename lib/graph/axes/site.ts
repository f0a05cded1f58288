/** A step as the rules see it: shapes, constants and traces of its inputs, and the same step of the plans for other lengths. */

import { fail } from '../../errors.ts'
import { Budget } from '../budget.ts'
import type { Call } from '../call.ts'
import type { Plan, Step } from '../plan.ts'
import { callOfStep } from '../step.ts'
import type { GraphTensor } from '../tensor.ts'
import { isEqual, isEven, isSame, type Trace, type Traced } from './trace.ts'

/** What is followed, in the words of messages. */
export interface Subject {
  /** Opens every refusal, up to the step's label. */
  readonly refusal: string
  /** `rows`, `frames`. */
  readonly plural: string
  /** `row`, `frame`. */
  readonly single: string
}

/** The same step of another plan, and how long the followed axis is there. */
export interface Twin {
  readonly plan: Plan
  readonly length: number
  readonly step: Step
}

const noTraces: ReadonlyMap<number, Traced> = new Map()

export class Site {
  readonly subject: Subject
  readonly plan: Plan
  readonly step: Step
  readonly twins: readonly Twin[]
  readonly #traces: ReadonlyMap<number, Traced>
  #call: Call | undefined

  constructor(subject: Subject, plan: Plan, step: Step, twins: readonly Twin[], traces: ReadonlyMap<number, Traced>) {
    this.subject = subject
    this.plan = plan
    this.step = step
    this.twins = twins
    this.#traces = traces
  }

  /** The step's attributes and integers of known inputs, read as its operator reads them. */
  get call(): Call {
    // Nobody runs it: what is read must be known.
    this.#call ??= callOfStep(
      this.step,
      this.step.inputs.map((_, place) => this.constant(place)),
      Budget.unbounded(),
    )
    return this.#call
  }

  /** Whether something holds for the step in every plan. */
  always(test: (one: Site) => boolean): boolean {
    return test(this) && this.twins.every(({ plan, step }) => test(new Site(this.subject, plan, step, [], noTraces)))
  }

  refuse(why: string): never {
    return refuse(this.subject, this.step, why)
  }

  has(place: number): boolean {
    return (this.step.inputs[place] ?? -1) >= 0
  }

  /** Places of the inputs that are there. */
  get places(): number[] {
    return [...this.step.inputs.keys()].filter((place) => this.has(place))
  }

  shape(place: number): readonly number[] {
    return shapeIn(this.plan, this.step.inputs[place])
  }

  rank(place: number): number {
    return this.shape(place).length
  }

  output(place: number): readonly number[] {
    return shapeIn(this.plan, this.step.outputs[place])
  }

  constant(place: number): GraphTensor | undefined {
    return constantIn(this.plan, this.step, place)
  }

  traced(place: number): Traced {
    return this.has(place) ? this.#traces.get(this.step.inputs[place]) : undefined
  }

  trace(place: number): Trace | undefined {
    const traced = this.traced(place)
    return typeof traced === 'object' ? traced : undefined
  }

  /** Of an operator whose one input has what is followed: where; the others must be the same for all. */
  only(place: number, ...shapes: readonly number[]): Trace {
    for (const other of this.places) if (other !== place && !shapes.includes(other)) this.fixed(other)
    return this.trace(place) ?? this.refuse(`its input ${place} does not depend on them, and another one does`)
  }

  /** An input that must be the same for all: no value of one row or frame, and no constant that depends on how many there are. */
  fixed(place: number): void {
    if (!this.has(place)) return
    if (this.traced(place) !== undefined) this.refuse(`its input ${place} depends on the ${this.subject.single}`)
    const own = this.constant(place)
    if (own === undefined) return
    for (const { plan, step } of this.twins) {
      const other = constantIn(plan, step, place)
      if (other === undefined || !isEqual(own, other)) {
        this.refuse(`its constant input ${place} depends on how many ${this.subject.plural} there are`)
      }
    }
  }

  /** An input that does not depend on what is followed beside others that have it laid out so. */
  fits(place: number, trace: Trace): void {
    if (this.traced(place) !== undefined) this.refuse(`its input ${place} depends on the ${this.subject.single}`)
    if (this.shape(place)[trace.axis] === 1) {
      this.fixed(place)
      return
    }
    const own = this.constant(place)
    const others = this.twins.map(({ plan, step }) => constantIn(plan, step, place))
    const isFit = own && [own, ...others].every((other) => other !== undefined && isEven(own, other, trace))
    if (!isFit)
      this.refuse(`its input ${place} has another value for each of the ${this.subject.plural}, by their place`)
  }

  /** Inputs that are broadcast to one shape of this rank: where the output has what is followed. */
  together(
    places: readonly number[] = this.places,
    rank = Math.max(...places.map((place) => this.rank(place))),
  ): Trace {
    let found: Trace | undefined
    for (const place of places) {
      const trace = this.trace(place)
      if (trace === undefined) continue
      const aligned = { ...trace, axis: trace.axis + rank - this.rank(place) }
      if (found !== undefined && !isSame(found, aligned)) {
        this.refuse(`its inputs have the ${this.subject.plural} on different axes`)
      }
      found = aligned
    }
    const trace = found ?? this.refuse(`none of its inputs ${places.join(', ')} has the ${this.subject.plural}`)
    for (const place of places) {
      const axis = trace.axis - rank + this.rank(place)
      if (this.trace(place) !== undefined) continue
      if (axis < 0) this.fixed(place)
      else this.fits(place, { ...trace, axis })
    }
    return trace
  }

  /** An axis that the operator works along must not be the followed one. */
  apart(trace: Trace, axes: readonly number[], does: string): void {
    if (axes.includes(trace.axis)) this.refuse(`it ${does} the ${this.subject.plural} (axis ${trace.axis})`)
  }
}

export function refuse({ refusal }: Subject, { label }: Step, why: string): never {
  return fail('ERR_RNN_OPTION', `${refusal} ${label}: ${why}`)
}

export function shapeIn(plan: Plan, value: number): readonly number[] {
  return plan.values[value]?.shape ?? []
}

function constantIn({ values }: Plan, { inputs }: Step, place: number): GraphTensor | undefined {
  return (inputs[place] ?? -1) < 0 ? undefined : values[inputs[place]]?.constant
}
