/** The compiled graph in a handle, read with suspicion: whatever stands in it, what comes out has the structure of a graph. */

import { notHandle } from '../calls/handle.ts'
import { describe } from '../errors.ts'
import type { Branch, FlatGraph, GraphValue, Step, StepAttribute } from '../graph/plan.ts'
import {
  count,
  dataOver,
  type ElementType,
  elementTypes,
  factsOf,
  type GraphData,
  type GraphTensor,
  type Scales,
} from '../graph/tensor.ts'
import { copyOf, hasOwn, isArray, isShared, offsetOf, typedBuffer } from '../intrinsics/captured.ts'
import { isObject } from '../intrinsics/properties.ts'
import { trueLength, typedArrayName } from '../intrinsics/typed-arrays.ts'
import { readShape } from '../tensor/read.ts'
import { copyOfData } from './values.ts'

/** Branches within branches. */
const deepest = 64
const mostValues = 2 ** 31 - 1

/** Reads a graph. Steps read values that are known before them, and no value is made twice; operators check the rest. */
export function readGraph(value: unknown): FlatGraph {
  const graph = fieldsOf(value, 'a graph')
  return new GraphReader(integer(graph.valueCount, 0, mostValues, 'the number of values')).read(graph)
}

class GraphReader {
  readonly #valueCount: number
  /** Values that are known where the reader is. */
  readonly #known = new Set<number>()
  /** Values that something makes, in branches too. */
  readonly #all = new Set<number>()

  constructor(valueCount: number) {
    this.#valueCount = valueCount
  }

  read(graph: Fields): FlatGraph {
    const inputs = listOf(graph.inputs, 'inputs').map((one) => {
      const input = this.#face(one)
      return { ...input, value: this.#made(input.value) }
    })
    const constants = new Map<number, GraphTensor>()
    for (const [number, tensor] of mapOf(graph.constants, 'constants')) {
      constants.set(this.#made(number), sharedTensor(tensor))
    }
    const steps = this.#steps(graph.steps, 0)
    const outputs = listOf(graph.outputs, 'outputs').map((one) => {
      const output = this.#face(one)
      return { ...output, value: this.#read(output.value) }
    })
    return { valueCount: this.#valueCount, constants, steps, inputs, outputs }
  }

  #face(value: unknown): GraphValue & { readonly value: unknown } {
    const { name, type, shape, value: number } = fieldsOf(value, 'an input or output')
    const sizes = shape === undefined ? undefined : listOf(shape, 'a shape').map(sizeOf)
    return { name: textOf(name, 'a name'), type: typeOf(type), shape: sizes, value: number }
  }

  #steps(value: unknown, depth: number): Step[] {
    if (depth > deepest) notHandle(`one whose branches nest deeper than ${deepest}`)
    return listOf(value, 'steps').map((one) => this.#step(fieldsOf(one, 'a step'), depth))
  }

  #step(step: Fields, depth: number): Step {
    const inputs = listOf(step.inputs, 'inputs of a step').map((number) => (number === -1 ? -1 : this.#read(number)))
    const branches = step.branches === undefined ? undefined : listOf(step.branches, 'branches')
    if (branches !== undefined && branches.length !== 2) notHandle('one whose branches are not two')
    const read = branches?.map((branch) => this.#branch(fieldsOf(branch, 'a branch'), depth + 1))
    const outputs = listOf(step.outputs, 'outputs of a step').map((number) => (number === -1 ? -1 : this.#made(number)))
    for (const branch of read ?? [])
      if (branch.outputs.length !== outputs.length) notHandle('one whose branches do not fit')
    const attributes = new Map<string, StepAttribute>()
    for (const [name, attribute] of mapOf(step.attributes, 'attributes')) {
      attributes.set(textOf(name, 'a name'), attributeOf(attribute))
    }
    const own = {
      label: textOf(step.label, 'a label'),
      domain: textOf(step.domain, 'a domain'),
      opType: textOf(step.opType, 'an operator'),
      opset: integer(step.opset, 0, mostValues, 'an opset'),
      inputs,
      outputs,
      attributes,
    }
    return read === undefined ? own : { ...own, branches: read as [Branch, Branch] }
  }

  /** What a branch makes is known within it alone. */
  #branch(branch: Fields, depth: number): Branch {
    const steps = this.#steps(branch.steps, depth)
    const outputs = listOf(branch.outputs, 'outputs of a branch').map((number) => this.#read(number))
    for (const step of steps) for (const value of step.outputs) this.#known.delete(value)
    return { steps, outputs }
  }

  #read(number: unknown): number {
    return this.#known.has(number as number)
      ? (number as number)
      : notHandle('one that reads a value before it is made')
  }

  #made(number: unknown): number {
    const own = integer(number, 0, this.#valueCount - 1, 'the number of a value')
    if (this.#all.has(own)) notHandle('one that makes a value twice')
    this.#all.add(own)
    this.#known.add(own)
    return own
  }
}

type Fields = Readonly<Record<string, unknown>>

function fieldsOf(value: unknown, what: string): Fields {
  if (!isObject(value)) notHandle(`one with ${describe(value)} for ${what}`)
  return { __proto__: null, ...value } as unknown as Fields
}

function listOf(value: unknown, what: string): unknown[] {
  return isArray(value) ? Array.from(value as unknown[]) : notHandle(`one with ${describe(value)} for ${what}`)
}

function mapOf(value: unknown, what: string): [unknown, unknown][] {
  return value instanceof Map
    ? Array.from(value as Map<unknown, unknown>)
    : notHandle(`one with ${describe(value)} for ${what}`)
}

function textOf(value: unknown, what: string): string {
  return typeof value === 'string' ? value : notHandle(`one with ${describe(value)} for ${what}`)
}

function integer(value: unknown, from: number, to: number, what: string): number {
  const fits = Number.isSafeInteger(value) && (value as number) >= from && (value as number) <= to
  return fits ? (value as number) : notHandle(`one with ${describe(value)} for ${what}`)
}

function sizeOf(value: unknown): number | string | undefined {
  if (value === undefined || typeof value === 'string') return value
  return integer(value, 0, Number.MAX_SAFE_INTEGER, 'a size')
}

function typeOf(value: unknown): ElementType {
  const isType = typeof value === 'string' && hasOwn(elementTypes, value)
  return isType ? (value as ElementType) : notHandle(`one with ${describe(value)} for a type`)
}

function attributeOf(value: unknown): StepAttribute {
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string') return value
  if (!isArray(value)) {
    const { type, shape, data } = partsOf(value)
    return { type, shape, data: copyOfData(type, data) }
  }
  const list = Array.from(value as unknown[])
  const isPlain = (kinds: readonly string[]) => list.every((one) => kinds.includes(typeof one))
  if (!isPlain(['string']) && !isPlain(['number', 'bigint'])) notHandle('one with an attribute that is none')
  return list as readonly string[] | readonly (number | bigint)[]
}

/** A tensor whose array has the length of its shape. */
function partsOf(value: unknown): GraphTensor {
  const tensor = fieldsOf(value, 'a tensor')
  const type = typeOf(tensor.type)
  const shape = readShape(tensor.shape, 'the shape of a tensor in the handle')
  const data = tensor.data as GraphData
  if (typedArrayName(data) !== factsOf(type).arrayName || trueLength(data) !== count(shape)) {
    notHandle('one with a tensor whose values do not fit its shape')
  }
  return { type, shape, data }
}

/** A tensor in shared memory, over a view that nobody else has: what a handle says of its arrays may be a lie. */
function sharedTensor(value: unknown): GraphTensor {
  const { type, shape, data } = partsOf(value)
  const buffer = typedBuffer(data)
  if (!isShared(buffer)) notHandle('one whose constants are not in shared memory')
  const own = { type, shape, data: dataOver(type, buffer, offsetOf(data), count(shape)) }
  const { scales } = fieldsOf(value, 'a tensor')
  return scales === undefined ? own : { ...own, scales: scalesOf(scales, shape) }
}

/** Wrong ones are harmless: they are held against the values. */
function scalesOf(value: unknown, shape: readonly number[]): Scales {
  const { axis, values } = fieldsOf(value, 'scales')
  if (typedArrayName(values) !== 'Float32Array') notHandle('one whose scales are none')
  const own = copyOf(values as Float32Array)
  const place = integer(axis, 0, 2 ** 5, 'an axis')
  if (own.length !== 1 && own.length !== shape[place]) notHandle('one whose scales do not fit')
  return { axis: place, values: own }
}
