/** The tensors that go into a model and come out of it, as users have them; it alone knows their types. */

import type { GraphValue } from '../graph/plan.ts'
import { dataOver, type ElementType, factsOf, type GraphData, newData } from '../graph/tensor.ts'
import { freeze, offsetOf, setValues, typedBuffer } from '../intrinsics/captured.ts'
import { trueLength } from '../intrinsics/typed-arrays.ts'
import type { NumberArray, TensorLike } from '../tensor/tensor.ts'

/** ONNX's element types by name. */
export type ModelType = ElementType

/**
 * An array of values: its kind follows from the type, see {@link ModelTensor}. TypeScript does not know which one that is, so `set` and `fill` take
 * numbers and bigints: values that are not of the array's own kind are its TypeError, as numbers are where int64 belongs.
 */
export type ModelData = GraphData & {
  /** Copies values into the array, from `offset` on. */
  set(values: ArrayLike<number> | ArrayLike<bigint>, offset?: number): void
  /** One value at every place from `start` to before `end`. */
  fill(value: number | bigint, start?: number, end?: number): unknown
}

/**
 * A dense, row-major tensor of a model. ONNX's type decides the array: float32, float16 and bfloat16 have a Float32Array, float64 a
 * Float64Array, int64 a BigInt64Array, uint64 a BigUint64Array, bool a Uint8Array of 0 and 1, other integers the array of their name.
 */
export interface ModelTensor {
  readonly data: ModelData
  /** The length of each axis; none for a single value. */
  readonly shape: readonly number[]
}

/** Values nested to any depth, each level of one length; the innermost rows may be typed arrays. */
export type NestedValues = readonly (
  | number
  | bigint
  | boolean
  | NumberArray
  | BigInt64Array
  | BigUint64Array
  | NestedValues
)[]

/**
 * What can stand for an input of a model; it is read as the input's type asks. A single number, bigint or boolean stands for a tensor of one
 * value, a typed array by itself for a tensor of one axis, or of a shape that is known in full.
 */
export type ModelInput =
  | TensorLike
  | ModelTensor
  | { readonly data: ModelData; readonly dims: readonly number[] }
  | ModelData
  | number
  | bigint
  | boolean
  | NestedValues

/** An input or an output of a model, as its file declares it. */
export interface ModelValue {
  readonly name: string
  readonly type: ModelType
  /**
   * The length of each axis: a number, the name of one that is open, or undefined. Empty for a single value, and, as onnxruntime has it, where the
   * file leaves the rank open too.
   */
  readonly shape: readonly (number | string | undefined)[]
}

/** A copy for users. */
export function modelValue({ name, type, shape }: GraphValue): ModelValue {
  return freeze({ name, type, shape: frozenCopy(shape ?? []) })
}

/** A frozen copy of a shape: users may not change the model's own. */
export function frozenCopy<Size>(shape: readonly Size[]): readonly Size[] {
  const copy: Size[] = []
  for (let axis = 0; axis < shape.length; axis++) copy[axis] = shape[axis]
  return freeze(copy)
}

/** A copy in a buffer of its own. */
export function copyOfData(type: ElementType, data: GraphData): GraphData {
  const copy = newData(type, trueLength(data))
  setValues(copy, data)
  return copy
}

/** `count` values of an array, in the same memory. */
export function viewOfData(type: ElementType, data: GraphData, from: number, count: number): GraphData {
  const { BYTES_PER_ELEMENT } = factsOf(type).array.prototype
  return dataOver(type, typedBuffer(data), offsetOf(data) + from * BYTES_PER_ELEMENT, count)
}
