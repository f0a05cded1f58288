/** The public class of dense float32 tensors. */

import { checkThis, failShape, list } from '../errors.ts'
import { copyOfRange, freeze } from '../intrinsics/captured.ts'
import { checkData, readShape, readTensor } from './read.ts'
import { elements } from './shape.ts'

/** Numbers nested to any depth, each level of one length: `[[1, 2, 3], [3, 4, 5]]` is a tensor of shape (2, 3). */
export type NestedNumbers = readonly number[] | readonly NestedNumbers[]

/** A typed array of numbers; those of bigints are none. */
export type NumberArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array

/** Nested numbers whose innermost rows may be typed arrays: a list of frames is a tensor of shape (T, I). */
export type NestedRows = readonly (readonly number[] | NumberArray | NestedRows)[]

/** Everything that can stand for a tensor. An onnxruntime tensor of type float32 fits (`data`, `dims`). */
export type TensorLike =
  | Tensor
  | { readonly data: Float32Array; readonly shape: readonly number[] }
  | { readonly data: Float32Array; readonly dims: readonly number[] }
  | NestedNumbers
  | NestedRows

/**
 * A dense, row-major tensor of float32 values.
 *
 * @example
 * const x = new Tensor(new Float32Array([1, 2, 3, 3, 4, 5]), [2, 3])
 * const same = Tensor.from([[1, 2, 3], [3, 4, 5]])
 * same.toNested() // [[1, 2, 3], [3, 4, 5]]
 */
export class Tensor {
  /** The values, last axis fastest. Not a copy: writing here changes the tensor. */
  readonly data: Float32Array
  /** The length of each axis; frozen. */
  readonly shape: readonly number[]

  /**
   * @param data the values; kept, not copied
   * @param shape the length of each axis; its product must be `data.length`
   * @throws RNNError `ERR_RNN_SHAPE` where `data` is no Float32Array or the shape does not fit it
   */
  constructor(data: Float32Array, shape: readonly number[])
  constructor(data: Float32Array, shape: readonly number[], origin?: typeof internal) {
    this.data = data
    this.shape = origin === internal ? shape : ownShape(data, shape)
  }

  /**
   * Makes a tensor of anything that can stand for one. Nested numbers are copied and rounded to float32; an object with `data` and
   * `shape` or `dims` is wrapped, and shares its values; a Tensor comes back as it is.
   *
   * @param values a Tensor, `{ data, shape }`, `{ data, dims }` or nested arrays of numbers, whose innermost rows may be typed arrays
   * @returns the tensor
   * @throws RNNError `ERR_RNN_SHAPE` for ragged nesting or a value that is no number, naming the place
   * @example
   * Tensor.from([new Float32Array(3), new Float32Array(3)]).shape // [2, 3]
   * Tensor.from([[1, 2], [3]]) // ERR_RNN_SHAPE: values[1] must be an array of length 2 as values[0] is …
   */
  static from(values: TensorLike): Tensor {
    if (values instanceof Tensor) return values
    const { data, shape } = readTensor(values, 'values')
    return new Tensor(data, shape)
  }

  /**
   * The values as nested arrays of numbers. A tensor of rank 0 gives an array of its one value.
   *
   * @returns fresh arrays, nested as deep as the tensor's rank
   * @throws RNNError `ERR_RNN_SHAPE` where an axis of length 0 stands below so many empty arrays that they would fill the memory
   */
  toNested(): NestedNumbers {
    checkThis(this, Tensor, 'tensor.toNested')
    const { data, shape } = this
    checkNesting(shape)
    let offset = 0
    const level = (axis: number): NestedNumbers => {
      const length = shape[axis]
      if (axis < shape.length - 1) return Array.from({ length }, () => level(axis + 1))
      offset += length
      return Array.from(copyOfRange(data, offset - length, length))
    }
    return shape.length === 0 ? [data[0]] : level(0)
  }
}

/** Says to the constructor that nothing needs to be checked; no caller from outside has it. */
const internal = Symbol()
const InternalTensor = Tensor as new (data: Float32Array, shape: readonly number[], origin: typeof internal) => Tensor

/** A tensor of values that the package itself made for the shape, which is one of `frozenShape`. */
export function ownTensor(data: Float32Array, shape: readonly number[]): Tensor {
  return new InternalTensor(data, shape, internal)
}

/** Arrays hold values, and cost what these do; but a shape without values may ask for any number of arrays. */
const mostEmpty = 2 ** 20

function checkNesting(shape: readonly number[]): void {
  if (elements(shape) > 0) return
  let arrays = 1
  for (let axis = 0; axis < shape.length - 1 && arrays <= mostEmpty; axis++) arrays *= shape[axis]
  if (arrays <= mostEmpty) return
  failShape(`a tensor of shape ${list(shape)} has no values, and would be nested in more than ${mostEmpty} arrays`)
}

function ownShape(data: unknown, shape: unknown): readonly number[] {
  const own = readShape(shape, 'shape')
  checkData(data, own, '')
  return freeze(own)
}
