/** The careful reading of integers of any array type, as lengths and ids come; it alone knows in which forms they do. */

import { describe, failShape } from '../errors.ts'
import { isArray, newDoubles } from '../intrinsics/captured.ts'
import { isObject } from '../intrinsics/properties.ts'
import { trueLength, typedArrayName } from '../intrinsics/typed-arrays.ts'
import { checkCountOf, fieldsOf, isBigInts, notTensor, ownShape, readNested } from './read.ts'
import type { NumberArray } from './tensor.ts'

/** A typed array of integers of any width; those of floats too, as long as their values are whole. */
export type IntegerArray = NumberArray | BigInt64Array | BigUint64Array

/** A tensor of integers. An onnxruntime tensor of type int64 or int32 fits (`data`, `dims`). */
export type IntegerTensor =
  | { readonly data: IntegerArray; readonly shape: readonly number[] }
  | { readonly data: IntegerArray; readonly dims: readonly number[] }

/** Integers in a row: an array, a typed array, or a tensor of one axis. */
export type Integers = readonly (number | bigint)[] | IntegerArray | IntegerTensor

/** Integers nested to any depth, each level of one length; the innermost rows may be typed arrays. */
export type NestedIntegers = readonly (number | bigint)[] | readonly (IntegerArray | NestedIntegers)[]

/** What was read: one that is no integer, or out of a range, is for the caller to refuse. Past 2^53 bigints are rounded. */
export interface ReadIntegers {
  readonly data: ArrayLike<number>
  readonly shape: readonly number[]
}

const toNumber = Number
const doubles = { make: newDoubles, bigints: true }

/**
 * Reads integers, each property once. The values may be the caller's own array, at its true length: nothing of the caller's may run until
 * they are read. What is neither array nor tensor goes to `refuse`; what else is wrong is `ERR_RNN_SHAPE` with `name` in its words.
 */
export function readIntegers(
  value: unknown,
  name: string,
  refuse: (value: unknown, name: string) => never = notTensor,
): ReadIntegers {
  if (isArray(value)) return readNested(value, name, doubles)
  if (typedArrayName(value) !== undefined) {
    const array = value as IntegerArray
    return { data: asNumbers(array), shape: [trueLength(array)] }
  }
  if (!isObject(value)) return refuse(value, name)
  const { shape, dims, data } = fieldsOf(value)
  const own = ownShape(shape, dims, name) ?? refuse(value, name)
  if (typedArrayName(data) === undefined) {
    failShape(`${name}.data must be a typed array, got ${describe(data)}`)
  }
  checkCountOf(data as IntegerArray, own, `${name}.`)
  return { data: asNumbers(data as IntegerArray), shape: own }
}

function asNumbers(array: IntegerArray): ArrayLike<number> {
  if (!isBigInts(array)) return array as NumberArray
  const length = trueLength(array)
  const data = newDoubles(length)
  for (let i = 0; i < length; i++) data[i] = toNumber(array[i])
  return data
}
