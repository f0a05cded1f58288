/** The values that flow through a graph; it alone knows ONNX's element types and which array holds each. */

import { sameShape } from '../tensor/shape.ts'

/** The arrays of values. Halves are kept as float32, bools and the 4-bit types a byte each. */
export type GraphData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array

interface ElementFacts {
  /** TensorProto.DataType */
  readonly code: number
  readonly array: new (length: number) => GraphData
  /** The name of the array, as users read it; undefined where the runtime has none such. */
  readonly arrayName: string | undefined
  /** Bits of one value in a file. */
  readonly bits: number
  readonly kind: 'float' | 'integer' | 'big' | 'bool'
  /** The range of an integer type, and of bool. */
  readonly range?: readonly [least: number, most: number]
}

const facts = (kind: ElementFacts['kind'], code: number, array: ElementFacts['array'], bits: number): ElementFacts => ({
  code,
  array,
  arrayName: array?.name,
  bits,
  kind,
})

const integer = (code: number, array: ElementFacts['array'], bits: number, signed: boolean): ElementFacts => ({
  ...facts(bits === 64 ? 'big' : 'integer', code, array, bits),
  range: signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1],
})

/** Facts by name; text and the 8-bit floating-point types are not among them. */
export const elementTypes = {
  float32: facts('float', 1, Float32Array, 32),
  uint8: integer(2, Uint8Array, 8, false),
  int8: integer(3, globalThis.Int8Array, 8, true),
  uint16: integer(4, Uint16Array, 16, false),
  int16: integer(5, globalThis.Int16Array, 16, true),
  int32: integer(6, Int32Array, 32, true),
  int64: integer(7, globalThis.BigInt64Array, 64, true),
  bool: { ...facts('bool', 9, Uint8Array, 8), range: [0, 1] },
  float16: facts('float', 10, Float32Array, 16),
  float64: facts('float', 11, Float64Array, 64),
  uint32: integer(12, globalThis.Uint32Array, 32, false),
  uint64: integer(13, globalThis.BigUint64Array, 64, false),
  bfloat16: facts('float', 16, Float32Array, 16),
  uint4: integer(21, Uint8Array, 4, false),
  int4: integer(22, globalThis.Int8Array, 4, true),
} as const satisfies Readonly<Record<string, ElementFacts>>

/** The name of an element type. */
export type ElementType = keyof typeof elementTypes

/** A tensor of a graph: dense, row-major; `data` has the array of `type`. Nobody writes into one that is finished. */
export interface GraphTensor {
  readonly type: ElementType
  readonly shape: readonly number[]
  readonly data: GraphData
  /** Only its type and its shape are known; `data` is empty. */
  readonly isPhantom?: true
  /** Of a constant of float32 whose values are integers times scales. */
  readonly scales?: Scales
}

/** One scale, or one for each place of an axis. */
export interface Scales {
  readonly axis: number
  readonly values: Float32Array
}

/** What is known of a type. */
export function kindOf(type: ElementType): ElementFacts['kind'] {
  return elementTypes[type].kind
}

export function factsOf(type: ElementType): ElementFacts {
  return elementTypes[type]
}

const typeNames = Object.keys(elementTypes) as ElementType[]

/** The type of a TensorProto.DataType; undefined for those that are not supported. */
export function typeOfCode(code: number): ElementType | undefined {
  return typeNames.find((name) => elementTypes[name].code === code)
}

/** The most axes of a tensor. */
export const mostAxes = 32

export const axesOf = (shape: readonly unknown[]): number[] => shape.map((_, axis) => axis)

/** How many values a shape holds: exact, 0 with any axis of 0, and past 2^53 only "too many". */
export function count(shape: readonly number[]): number {
  return shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1)
}

/** An array of zeros for values of a type. */
export function newData(type: ElementType, length: number): GraphData {
  return new (factsOf(type).array)(length)
}

type DataOver = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => GraphData

/** The array of a type over a part of a buffer. */
export function dataOver(type: ElementType, buffer: ArrayBufferLike, byteOffset: number, length: number): GraphData {
  return new (factsOf(type).array as unknown as DataOver)(buffer, byteOffset, length)
}

/** A value of which only this is known. */
export function phantom(type: ElementType, shape: readonly number[]): GraphTensor {
  return { type, shape, data: newData(type, 0), isPhantom: true }
}

/** Whether two values have one type and one shape. */
export function areAlike(a: Pick<GraphTensor, 'type' | 'shape'>, b: Pick<GraphTensor, 'type' | 'shape'>): boolean {
  return a.type === b.type && sameShape(a.shape, b.shape)
}

/** How many values a tensor holds, or a phantom will. */
export function lengthOf({ shape }: GraphTensor): number {
  return count(shape)
}

/** A value as a number: bigints beyond 2^53 only near, as every bound of a slice may be. */
export function numberAt(tensor: GraphTensor, i: number): number {
  return Number(tensor.data[i])
}
