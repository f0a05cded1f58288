/** What a compiled graph is: a flat list of steps over numbered values, first with shapes open, then with every shape settled. Data only: it may be cloned between threads. */

import type { ElementType, GraphTensor } from './tensor.ts'

/** An attribute of a step; tensors are read, graphs have become branches. */
export type StepAttribute = number | bigint | string | readonly (number | bigint)[] | readonly string[] | GraphTensor

/** A node of the graph, without names. */
export interface Step {
  /** `node 3 "gate" (Slice)`, for people. */
  readonly label: string
  /** Empty for ONNX's own operators. */
  readonly domain: string
  readonly opType: string
  /** The version of its domain that it means. */
  readonly opset: number
  /** Numbers of values; −1 for an optional input that is left out. */
  readonly inputs: readonly number[]
  /** Numbers of values; −1 for an output that nobody wants. */
  readonly outputs: readonly number[]
  readonly attributes: ReadonlyMap<string, StepAttribute>
  /** Of an `If`: what it does where the condition holds, and where not. Each gives the step's outputs. */
  readonly branches?: readonly [then: Branch, otherwise: Branch]
}

/** Steps that run where a condition says so. */
export interface Branch {
  readonly steps: readonly Step[]
  /** As many as the step has. */
  readonly outputs: readonly number[]
}

/** An input or an output of a model as its file declares it. */
export interface GraphValue {
  readonly name: string
  readonly type: ElementType
  /** A size, the name of one that is open, or undefined for one without a name; undefined as a whole where the rank is open too. */
  readonly shape: readonly (number | string | undefined)[] | undefined
}

/** A graph whose constants are folded, in the order in which its steps run; the sizes of its inputs may be open. */
export interface FlatGraph {
  /** How many values there are; the numbers below are less than it. */
  readonly valueCount: number
  /** What is known already, by the value's number. */
  readonly constants: ReadonlyMap<number, GraphTensor>
  readonly steps: readonly Step[]
  readonly inputs: readonly (GraphValue & { readonly value: number })[]
  readonly outputs: readonly (GraphValue & { readonly value: number })[]
}

/** A value whose shape is settled. */
export interface PlanValue {
  readonly type: ElementType
  readonly shape: readonly number[]
  /** Where it is known before anything runs. */
  readonly constant?: GraphTensor
  /** Of an input whose value decides shapes or branches: what the plan was made for, and holds for alone. */
  readonly expected?: GraphTensor
}

/** A graph for one set of input shapes: shape arithmetic is done, decided branches are gone, and no step is left that nothing needs. */
export interface Plan {
  /** By number; a hole for a value that no step here has. */
  readonly values: readonly (PlanValue | undefined)[]
  readonly steps: readonly Step[]
  /** Numbers of values. One that nothing reads is among them too; an output may be an input or a constant. */
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  /** Places in `outputs` and `inputs`: after a run that succeeded the input holds what the output was. */
  readonly carries: readonly Carry[]
}

/** A state: what it became, and where the next run reads it. */
export interface Carry {
  readonly output: number
  readonly input: number
}
