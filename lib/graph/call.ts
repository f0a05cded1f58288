/** One call of an operator: its inputs and attributes, read by rules that all operators share, and memory for what it gives. */

import { describe, list } from '../errors.ts'
import type { Budget, Refuse } from './budget.ts'
import type { AttributeValue, GraphNode } from './graph.ts'
import { finished, type Pass } from './pace.ts'
import type { StepAttribute } from './plan.ts'
import {
  count,
  type ElementType,
  factsOf,
  type GraphTensor,
  kindOf,
  lengthOf,
  mostAxes,
  newData,
  numberAt,
  phantom,
} from './tensor.ts'

/**
 * A pure function: the same inputs and attributes give the same outputs, and none is written to. In a dry call its outputs have their
 * types and shapes and no values: it makes them with `allocate`, `view` and their like, and returns before it computes. What may take long
 * comes in steps.
 */
export type Operator = (call: Call) => Made | Pass<Made>
export type Made = GraphTensor | readonly GraphTensor[]

/** One output or many as a list. */
export const listed = (made: Made): readonly GraphTensor[] => (Array.isArray(made) ? made : [made as GraphTensor])

/** All that an operator makes, at once. */
export const madeAtOnce = (run: Operator, call: Call): readonly GraphTensor[] => listed(finished(run(call)))

/** What a dry call throws where a shape depends on values that nobody knows yet. */
export class NeedsValue {
  /** Which input. */
  readonly place: number

  constructor(place: number) {
    this.place = place
  }
}

/** What an operator asks of its node: which outputs are wanted (an empty name for one that is not), and the words that refuse. */
export interface CallSite extends Pick<GraphNode, 'outputs' | 'fail'> {
  /** Its values are those of a run, and no fault of a file: an integer divided by 0 gives 0. */
  readonly isStep?: true
  /** Refuses what no other values or sizes would make possible; as `fail` where it is left out. */
  readonly unsupported?: Refuse
}

/** What an operator sees. `opset` is the version of its domain that the graph asks for. */
export class Call {
  readonly node: CallSite
  readonly inputs: readonly (GraphTensor | undefined)[]
  readonly opset: number
  readonly budget: Budget
  /** Only types and shapes are asked for; inputs may be phantoms. */
  readonly isDry: boolean
  readonly attributes: ReadonlyMap<string, AttributeValue | StepAttribute>

  constructor(
    node: CallSite,
    inputs: readonly (GraphTensor | undefined)[],
    attributes: ReadonlyMap<string, AttributeValue | StepAttribute>,
    opset: number,
    budget: Budget,
    isDry = false,
  ) {
    this.isDry = isDry
    this.node = node
    this.inputs = inputs
    this.attributes = attributes
    this.opset = opset
    this.budget = budget
  }

  fail(what: string): never {
    return this.node.fail(what)
  }

  /** Refuses a type or an attribute, whatever the sizes are. */
  unsupported(what: string): never {
    return (this.node.unsupported ?? this.node.fail)(what)
  }

  /** An input that must be there. */
  input(place: number): GraphTensor {
    return this.inputs[place] ?? this.fail(`input ${place} is missing`)
  }

  /** An input whose values are needed. */
  values(place: number): GraphTensor {
    const tensor = this.input(place)
    if (tensor.isPhantom) throw new NeedsValue(place)
    return tensor
  }

  /** An input of one value, of 0 or more axes of 1, as a number. */
  number(place: number, name: string): number {
    const tensor = this.input(place)
    if (lengthOf(tensor) !== 1) this.fail(`${name} must be one value, got ${list(tensor.shape)}`)
    return numberAt(this.values(place), 0)
  }

  /** An input of integers as numbers: shapes, axes, places. Undefined where it is left out. */
  numbers(place: number): number[] | undefined {
    const tensor = this.inputs[place]
    if (tensor === undefined) return undefined
    const kind = kindOf(tensor.type)
    if (tensor.shape.length > 1 || (kind !== 'big' && kind !== 'integer')) {
      this.fail(`input ${place} must be integers of rank 1, got ${tensor.type} of shape ${list(tensor.shape)}`)
    }
    const length = lengthOf(tensor)
    if (length > mostAxes) this.fail(`input ${place} lists ${length} integers; at most ${mostAxes} axes are possible`)
    this.values(place)
    return Array.from({ length }, (_, i) => numberAt(tensor, i))
  }

  /** Integers that an older opset has as an attribute, a newer one as an input: undefined where both are missing. */
  numbersOf(place: number, attribute: string): number[] | undefined {
    return this.numbers(place) ?? this.integers(attribute)
  }

  attribute(name: string): AttributeValue | StepAttribute | undefined {
    return this.attributes.get(name)
  }

  integer<Otherwise>(name: string, otherwise: Otherwise): number | Otherwise {
    const value = this.attribute(name)
    if (value === undefined) return otherwise
    if (typeof value === 'number' || typeof value === 'bigint') return Number(value)
    return this.#wrong(name, 'an integer', value)
  }

  integers(name: string): number[] | undefined {
    const value = this.attribute(name)
    if (value === undefined) return undefined
    if (!Array.isArray(value) || value.length > mostAxes) this.#wrong(name, `at most ${mostAxes} integers`, value)
    return (value as unknown[]).map((one) => {
      if (typeof one === 'string') this.#wrong(name, 'integers', value)
      return Number(one)
    })
  }

  real(name: string, otherwise: number): number {
    const value = this.attribute(name) ?? otherwise
    return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : this.#wrong(name, 'a number', value)
  }

  /** An attribute that is 0 or 1. */
  flag(name: string, otherwise = false): boolean {
    return this.integer(name, Number(otherwise)) !== 0
  }

  text(name: string, otherwise: string): string {
    const value = this.attribute(name) ?? otherwise
    return typeof value === 'string' ? value : this.#wrong(name, 'a text', value)
  }

  #wrong(name: string, wanted: string, value: unknown): never {
    return this.unsupported(`the attribute ${name} must be ${wanted}, got ${describe(value)}`)
  }

  /** An axis of a tensor of this rank, up to `most`, counted from its end where negative. */
  axis(value: number, rank: number, most = rank - 1): number {
    const axis = value < 0 ? value + rank : value
    if (!(Number.isInteger(axis) && axis >= 0 && axis <= most)) this.fail(`axis ${value} of a tensor of rank ${rank}`)
    return axis
  }

  /** The axis that an attribute asks for. */
  axisOf(otherwise: number, rank: number, most?: number): number {
    return this.axis(this.integer('axis', otherwise), rank, most)
  }

  /** Axes, none twice. */
  axes(values: readonly number[], rank: number): number[] {
    const axes = values.map((value) => this.axis(value, rank))
    if (new Set(axes).size !== axes.length) this.fail(`an axis comes twice in ${list(values)}`)
    return axes
  }

  /** An input of floating-point values, of the type of another one where that is given. */
  floats(place: number, like?: GraphTensor): GraphTensor {
    const tensor = this.input(place)
    if (kindOf(tensor.type) !== 'float') this.unsupported(`input ${place} of type ${tensor.type} is not supported`)
    if (like !== undefined && like.type !== tensor.type) this.fail(`${like.type} beside ${tensor.type}`)
    return tensor
  }

  /** Steps of work, before they are done. */
  spend(steps: number): void {
    this.budget.spend(steps, this.node.fail)
  }

  /** Numbers in double precision for use on the way, of memory that the budget has. */
  scratch(length: number): Float64Array {
    this.budget.take(8 * length, this.node.fail)
    return new Float64Array(length)
  }

  /** A tensor of zeros, of memory that the budget has; in a dry call a phantom, which the budget pays for as well. */
  allocate(type: ElementType, shape: readonly number[]): GraphTensor {
    if (!this.isDry) return this.known(type, shape)
    this.#taken(type, shape)
    return phantom(type, shape)
  }

  /** A tensor of zeros whose values an operator knows by the shapes of its inputs alone. */
  known(type: ElementType, shape: readonly number[]): GraphTensor {
    return { type, shape, data: newData(type, this.#taken(type, shape)) }
  }

  #taken(type: ElementType, shape: readonly number[]): number {
    const length = this.#checked(shape)
    // As much work as there is to fill, whatever the operator does to find its values.
    this.spend(length)
    this.budget.take(length * factsOf(type).array.prototype.BYTES_PER_ELEMENT, this.node.fail)
    return length
  }

  /** The same values in another shape. */
  view(tensor: GraphTensor, shape: readonly number[]): GraphTensor {
    if (this.#checked(shape) !== lengthOf(tensor)) {
      this.fail(`${lengthOf(tensor)} values do not fit the shape ${list(shape)}`)
    }
    this.budget.take(0, this.node.fail)
    // Not its scales, which are along an axis of the old shape.
    const { scales, ...own } = tensor
    return { ...own, shape }
  }

  #checked(shape: readonly number[]): number {
    if (shape.length > mostAxes) this.fail(`a rank of ${shape.length}; at most ${mostAxes} axes are possible`)
    if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0))
      this.fail(`the shape ${list(shape)} is not one`)
    const length = count(shape)
    if (length >= 2 ** 31) this.fail(`the shape ${list(shape)} holds 2^31 values or more`)
    return length
  }
}
