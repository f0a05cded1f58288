/** A step as the rules see it: shapes, constants and traces of its inputs, and the same step of the plans for other lengths. */

import { failOption } from '../../errors.ts'
import { unlimited } from '../budget.ts'
import type { Call } from '../call.ts'
import type { Plan, Step } from '../plan.ts'
import { callOfStep } from '../step.ts'
import { axesOf, type GraphTensor } from '../tensor.ts'
import { areEven, isEqual, isSame, type Trace, type Traced } from './trace.ts'

/** What is followed, in the words of messages. */
export interface Subject {
  /** Opens every refusal, up to the label of a step or value. */
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
      unlimited,
    )
    return this.#call
  }

  /** Whether something holds for the step in every plan. */
  always(test: (one: Site) => boolean): boolean {
    return test(this) && this.twins.every(({ plan, step }) => test(new Site(this.subject, plan, step, [], noTraces)))
  }

  refuse(why: string): never {
    return refuse(this.subject, this.step.label, why)
  }

  has(place: number): boolean {
    return this.step.inputs[place] >= 0
  }

  /** Places of the inputs that are there. */
  get places(): number[] {
    return axesOf(this.step.inputs).filter((place) => this.has(place))
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
    return this.#traces.get(this.step.inputs[place])
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

  /** An input that does not depend on what is followed beside others that have it laid out so; an axis below 0 is none of its own. */
  fits(place: number, trace: Trace): void {
    if (trace.axis < 0 || this.shape(place)[trace.axis] === 1) {
      this.fixed(place)
      return
    }
    const known = [this, ...this.twins].map(({ plan, step }) => constantIn(plan, step, place))
    if (!areEven(known, trace))
      this.refuse(`its input ${place} has another value for each of the ${this.subject.plural}, by their place`)
  }

  /**
   * Inputs, one of which at least has what is followed, that meet in one shape: where that has it. `into` gives the axis there of an input's
   * own, `from` that of an input, below 0 where it has none.
   */
  joined(
    places: readonly number[],
    into: (axis: number, place: number) => number,
    from: (axis: number, place: number) => number,
  ): Trace {
    let found: Trace | undefined
    for (const place of places) {
      const own = this.trace(place)
      if (own === undefined) continue
      const trace = { ...own, axis: into(own.axis, place) }
      if (found !== undefined && !isSame(found, trace)) {
        this.refuse(`its inputs have the ${this.subject.plural} on different axes`)
      }
      found = trace
    }
    const trace = found!
    for (const place of places) {
      if (this.trace(place) === undefined) this.fits(place, { ...trace, axis: from(trace.axis, place) })
    }
    return trace
  }

  /** Inputs that are broadcast to one shape: where the output has what is followed. */
  together(places: readonly number[] = this.places): Trace {
    const rank = Math.max(...places.map((place) => this.rank(place)))
    const missing = (place: number) => rank - this.rank(place)
    return this.joined(
      places,
      (axis, place) => axis + missing(place),
      (axis, place) => axis - missing(place),
    )
  }

  /** The axis that an attribute asks for, of the first input. */
  axis(otherwise: number): number {
    return this.call.axisOf(otherwise, this.rank(0))
  }

  /** An axis that the operator works along must not be the followed one. */
  apart(trace: Trace, axes: readonly number[], does: string): Trace {
    if (axes.includes(trace.axis)) this.refuse(`it ${does} the ${this.subject.plural} (axis ${trace.axis})`)
    return trace
  }
}

/** `what`: the step, or what else it is that cannot be. */
export function refuse({ refusal }: Subject, what: string, why: string): never {
  return failOption(`${refusal} ${what}: ${why}`)
}

export function shapeIn(plan: Plan, value: number): readonly number[] {
  return plan.values[value]?.shape ?? []
}

function constantIn({ values }: Plan, { inputs }: Step, place: number): GraphTensor | undefined {
  return values[inputs[place]]?.constant
}
