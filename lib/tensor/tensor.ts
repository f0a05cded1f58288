/** Dense float32 tensors, and the careful reading of everything that can stand for one. */
import { describe, fail, list, RNNError } from '../errors.ts'

/** Numbers nested to any depth, each level of one length: `[[1, 2, 3], [3, 4, 5]]` is a tensor of shape (2, 3). */
export type NestedNumbers = readonly number[] | readonly NestedNumbers[]

/** Everything that can stand for a tensor. An onnxruntime tensor of type float32 fits (`data`, `dims`). */
export type TensorLike =
  | Tensor
  | { readonly data: Float32Array; readonly shape: readonly number[] }
  | { readonly data: Float32Array; readonly dims: readonly number[] }
  | NestedNumbers

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
  constructor(data: Float32Array, shape: readonly number[], origin?: typeof ours) {
    this.data = data
    this.shape = origin === ours ? shape : ownShape(data, shape)
  }

  /**
   * Makes a tensor of anything that can stand for one. Nested numbers are copied and rounded to float32; an object with `data` and
   * `shape` or `dims` is wrapped, and shares its values; a Tensor comes back as it is.
   *
   * @param values a Tensor, `{ data, shape }`, `{ data, dims }` or nested arrays of numbers
   * @returns the tensor
   * @throws RNNError `ERR_RNN_SHAPE` for ragged nesting or a value that is no number, naming the place
   * @example
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
   */
  toNested(): NestedNumbers {
    const { data, shape } = this
    let offset = 0
    const level = (axis: number): NestedNumbers => {
      const length = shape[axis]
      if (axis < shape.length - 1) return Array.from({ length }, () => level(axis + 1))
      offset += length
      return Array.from(data.subarray(offset - length, offset))
    }
    return shape.length === 0 ? [data[0]] : level(0)
  }
}

/** Says to the constructor that nothing needs to be checked; no caller from outside has it. */
const ours = Symbol()
const Ours = Tensor as new (data: Float32Array, shape: readonly number[], origin: typeof ours) => Tensor

/** A tensor of values that the package itself made for the shape, which is one of `frozenShape`. */
export function ownTensor(data: Float32Array, shape: readonly number[]): Tensor {
  return new Ours(data, shape, ours)
}

function ownShape(data: unknown, shape: unknown): readonly number[] {
  const own = readShape(shape, 'shape')
  checkData(data, own, '')
  return Object.freeze(own)
}

/** Shapes of lately: whoever runs calls of one size gets one array, for freezing takes as long as a small call. */
const lately: (readonly number[])[] = []

/** The frozen shape of two or three axes. */
export function frozenShape(a: number, b: number, c?: number): readonly number[] {
  const place = (a + 5 * b + 3 * (c ?? 0)) & 31
  const known = lately[place]
  if (known !== undefined && known[0] === a && known[1] === b && known[2] === c) return known
  const shape = Object.freeze(c === undefined ? [a, b] : [a, b, c])
  lately[place] = shape
  return shape
}

/** A tensor as it was read: nothing of the caller's is asked again, but the values may be the caller's own array. */
export interface ReadTensor {
  readonly data: Float32Array
  readonly shape: number[]
}

const deepest = 32
const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object
const tagOf = getter(typedArray, Symbol.toStringTag)
const lengthOf = getter(typedArray, 'length')
const bufferOf = getter(typedArray, 'buffer')
const offsetOf = getter(typedArray, 'byteOffset')
const sharedSizeOf = getter(SharedArrayBuffer.prototype, 'byteLength')

function getter(prototype: object, key: PropertyKey): (this: unknown) => unknown {
  return Object.getOwnPropertyDescriptor(prototype, key)!.get!
}

/** 'Float32Array' and the like for real typed arrays of any realm, else undefined; cannot be fooled by what an object says. */
export function typedArrayName(value: unknown): string | undefined {
  return tagOf.call(value) as string | undefined
}

/** The true length of a typed array, whatever its own properties say; 0 where its buffer is detached. */
export function trueLength(value: ArrayBufferView): number {
  return lengthOf.call(value) as number
}

/**
 * A view of this realm over the same values, where they are truly float32 in shared memory, which cannot be detached; undefined where
 * they are not, whatever the array says of itself.
 */
export function sharedView(value: unknown): Float32Array | undefined {
  if (typedArrayName(value) !== 'Float32Array') return undefined
  const buffer = bufferOf.call(value) as SharedArrayBuffer
  try {
    sharedSizeOf.call(buffer)
  } catch {
    return undefined
  }
  return new Float32Array(buffer, offsetOf.call(value) as number, lengthOf.call(value) as number)
}

/**
 * Reads a tensor, each property once. What the caller's getters throw passes through; everything else that is wrong is
 * `ERR_RNN_SHAPE` with `name` in its words.
 */
export function readTensor(value: unknown, name: string): ReadTensor {
  if (Array.isArray(value)) return readNested(value, name)
  if (typeof value !== 'object' || value === null || typedArrayName(value) !== undefined) notTensor(value, name)
  const { shape, dims, data } = value as { shape?: unknown; dims?: unknown; data?: unknown }
  if (shape === undefined && dims === undefined) notTensor(value, name)
  const own = shape === undefined ? readShape(dims, `${name}.dims`) : readShape(shape, `${name}.shape`)
  checkData(data, own, `${name}.`)
  return { data: data as Float32Array, shape: own }
}

/** A getter that was read later can have detached or shrunk an array that was read before. */
export function stillThere(name: string, { data, shape }: ReadTensor): void {
  const length = trueLength(data)
  if (length !== elements(shape)) {
    fail('ERR_RNN_SHAPE', `${name}.data must keep its length ${elements(shape)} during the call, but has ${length} now`)
  }
}

function notTensor(value: unknown, name: string): never {
  const flat =
    typedArrayName(value) === undefined ? '' : '; a typed array has no shape, so wrap it: new Tensor(data, shape)'
  fail(
    'ERR_RNN_SHAPE',
    `${name} must be a Tensor, { data, shape }, { data, dims } or nested arrays of numbers, got ${describe(value)}${flat}`,
  )
}

function readShape(value: unknown, name: string): number[] {
  if (!Array.isArray(value)) fail('ERR_RNN_SHAPE', `${name} must be an array of axis lengths, got ${describe(value)}`)
  const length = value.length
  if (length > deepest) fail('ERR_RNN_SHAPE', `${name} must have at most ${deepest} axes, got ${length}`)
  const shape: number[] = []
  for (let i = 0; i < length; i++) {
    const size: unknown = value[i]
    if (!Number.isSafeInteger(size) || (size as number) < 0) {
      fail('ERR_RNN_SHAPE', `${name}[${i}] must be an integer of at least 0, got ${describe(size)}`)
    }
    shape.push(size as number)
  }
  return shape
}

function checkData(data: unknown, shape: readonly number[], prefix: string): void {
  if (typedArrayName(data) !== 'Float32Array') {
    const numbers = Array.isArray(data) || (typedArrayName(data) !== undefined && !isBigInts(data))
    const hint = numbers ? '; Float32Array.from(data) makes one' : ''
    fail('ERR_RNN_SHAPE', `${prefix}data must be a Float32Array, got ${describe(data)}${hint}`)
  }
  const length = trueLength(data as Float32Array)
  const count = elements(shape)
  if (count !== length) {
    const detached = length === 0 && isDetached((data as Float32Array).buffer) ? ' (its buffer is detached)' : ''
    fail(
      'ERR_RNN_SHAPE',
      `${prefix}data must have length ${count} for shape ${list(shape)}, got length ${length}${detached}`,
    )
  }
}

function isBigInts(data: unknown): boolean {
  return typedArrayName(data)?.startsWith('Big') ?? false
}

function isDetached(buffer: ArrayBufferLike): boolean {
  if (buffer.byteLength > 0 || (typeof SharedArrayBuffer === 'function' && buffer instanceof SharedArrayBuffer))
    return false
  try {
    new Uint8Array(buffer)
    return false
  } catch {
    return true
  }
}

/** How many values a shape holds; may be past 2^53 and then equals no length. */
export function elements(shape: readonly number[]): number {
  let count = 1
  for (const size of shape) count *= size
  return count
}

/** The engine counts values in 32 bits: what would hold more is refused before anything is made. */
export function checkCount(count: number, what: string): void {
  if (count < 2 ** 31) return
  fail('ERR_RNN_SHAPE', `${what} would hold ${count} values; at most 2^31 − 1 are possible`)
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis])
}

function readNested(values: readonly unknown[], name: string): ReadTensor {
  const shape: number[] = []
  for (let level: unknown = values; Array.isArray(level); level = level[0]) {
    if (shape.length === deepest) fail('ERR_RNN_SHAPE', `${name} must be nested at most ${deepest} deep`)
    shape.push(level.length)
    if (level.length === 0) break
  }
  const data = allocate(elements(shape), name)
  let next = 0
  const place: number[] = []
  const fill = (level: readonly unknown[], axis: number): void => {
    const length = shape[axis]
    const inner = axis === shape.length - 1
    for (let i = 0; i < length; i++) {
      const value = level[i]
      if (inner && typeof value === 'number') {
        data[next++] = value
        continue
      }
      place[axis] = i
      if (inner) wrongValue(value, name, place.slice(0, axis + 1))
      if (!Array.isArray(value) || value.length !== shape[axis + 1]) {
        ragged(value, shape[axis + 1], name, place.slice(0, axis + 1))
      }
      fill(value as unknown[], axis + 1)
    }
  }
  fill(values, 0)
  return { data, shape }
}

function allocate(count: number, name: string): Float32Array {
  try {
    return new Float32Array(count)
  } catch (cause) {
    throw new RNNError('ERR_RNN_SHAPE', `${name} is too large: ${count} values`, { cause })
  }
}

function wrongValue(value: unknown, name: string, place: readonly number[]): never {
  const where = `${name}${place.map((i) => `[${i}]`).join('')}`
  if (Array.isArray(value))
    fail('ERR_RNN_SHAPE', `${where} must be a number as its neighbours are, got ${describe(value)}`)
  const row = typedArrayName(value) === undefined ? '' : '; a row that is a typed array goes in as Array.from(row)'
  fail('ERR_RNN_SHAPE', `${where} must be a number, got ${describe(value)}${row}`)
}

function ragged(value: unknown, length: number, name: string, place: readonly number[]): never {
  const text = (indexes: readonly number[]) => `${name}${indexes.map((i) => `[${i}]`).join('')}`
  const first = [...place.slice(0, -1).map(() => 0), 0]
  fail(
    'ERR_RNN_SHAPE',
    `${text(place)} must be an array of length ${length} as ${text(first)} is, got ${describe(value)}: nesting must not be ragged`,
  )
}
