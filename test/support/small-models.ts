/** Small whole models for tests: written node by node, with the shapes that their inputs declare. */

import {
  bytes,
  initializer,
  int64Body,
  integer,
  message,
  model,
  node,
  type TestNode,
  type TestTensor,
  text,
} from './onnx-writer.ts'

/** A size, or the name of one that is open. */
export type Declared = readonly (number | string)[]

export interface SmallModel {
  readonly inputs: Readonly<Record<string, Declared>>
  /** Inputs of int64; the others are float32. */
  readonly integers?: readonly string[]
  readonly outputs: readonly string[]
  /** Outputs of int64. */
  readonly counts?: readonly string[]
  /** A list of integers is int64, of one axis. */
  readonly constants?: Readonly<Record<string, TestTensor | readonly number[]>>
  readonly nodes: readonly TestNode[]
}

export function smallModel({
  inputs,
  integers = [],
  outputs,
  counts = [],
  constants = {},
  nodes,
}: SmallModel): Uint8Array {
  return model(
    ...Object.entries(constants).map(([name, value]) =>
      'data' in value ? initializer(name, value) : bytes(5, int64Body(name, value)),
    ),
    ...nodes.map(node),
    ...Object.entries(inputs).map(([name, shape]) => declared(11, name, integers.includes(name), shape)),
    ...outputs.map((name) => declared(12, name, counts.includes(name))),
  )
}

function declared(field: number, name: string, isInteger: boolean, shape?: Declared) {
  const axes = shape?.map((size) => message(1, [typeof size === 'number' ? integer(1, size) : text(2, size)]))
  const tensor = [integer(1, isInteger ? 7 : 1), ...(axes ? [message(2, axes)] : [])]
  return message(field, [text(1, name), message(2, [message(1, tensor)])])
}

/** Numbers around 0, other ones for each seed. */
export function numbers(seed: number, ...shape: number[]): { shape: number[]; data: Float32Array } {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1))
  for (let i = 0; i < data.length; i++) data[i] = Math.sin(12.9898 * (i + 1) + 78.233 * seed) * 0.8
  return { shape, data }
}
