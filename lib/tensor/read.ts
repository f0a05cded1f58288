/** The careful reading of everything that can stand for a tensor; it alone knows what may be wrong with one. */
import { describe, failShape, list, RNNError, unawaited } from '../errors.ts'
import { hasOwn, isArray, isSafeInteger, setValues, typedBuffer, zeros } from '../intrinsics/captured.ts'
import { isObject, property } from '../intrinsics/properties.ts'
import { isDetached, trueLength, typedArrayName } from '../intrinsics/typed-arrays.ts'
import { elements } from './shape.ts'

const deepest = 32

/** A tensor as it was read: nothing of the caller's is asked again, but the values may be the caller's own array. */
export interface ReadTensor {
  readonly data: Float32Array
  readonly shape: number[]
}

/**
 * Reads a tensor, each property once. What the caller's getters throw passes through; everything else that is wrong is
 * `ERR_RNN_SHAPE` with `name` in its words.
 */
export function readTensor(value: unknown, name: string): ReadTensor {
  if (isArray(value)) return readNested(value, name, floats)
  if (!isObject(value) || typedArrayName(value) !== undefined) notTensor(value, name)
  const { shape, dims, data } = fieldsOf(value)
  const own = ownShape(shape, dims, name) ?? notTensor(value, name)
  checkData(data, own, `${name}.`)
  return { data: data as Float32Array, shape: own }
}

interface Fields {
  readonly shape?: unknown
  readonly dims?: unknown
  readonly data?: unknown
}
const allObjects = Object.prototype

/** The quick look is as good as the careful one while no script has put one of the names on all objects; small calls feel the difference. */
export function fieldsOf(value: object): Fields {
  if (!('shape' in allObjects || 'dims' in allObjects || 'data' in allObjects)) return value
  const shape = property(value, 'shape')
  const dims = shape === undefined ? property(value, 'dims') : undefined
  return { shape, dims, data: property(value, 'data') }
}

/** The shape that an object gives under one of two names; undefined where it gives none. */
export function ownShape(shape: unknown, dims: unknown, name: string): number[] | undefined {
  if (shape !== undefined) return readShape(shape, `${name}.shape`)
  return dims === undefined ? undefined : readShape(dims, `${name}.dims`)
}

/** A getter that was read later can have detached or shrunk an array that was read before. */
export function checkNotDetached(
  name: string,
  { data, shape }: { readonly data: ArrayBufferView; readonly shape: readonly number[] },
): void {
  const length = trueLength(data)
  if (length !== elements(shape)) {
    failShape(`${name}.data must keep its length ${elements(shape)} during the call, but has ${length} now`)
  }
}

export function notTensor(value: unknown, name: string): never {
  const hint =
    typedArrayName(value) !== undefined
      ? '; a typed array has no shape, so wrap it: new Tensor(data, shape)'
      : !isObject(value)
        ? ''
        : hasOwn(value, 'output')
          ? '; what forward gives has its tensor as output'
          : hasOwn(value, 'data')
            ? ' without a shape'
            : unawaited(value)
  failShape(
    `${name} must be a Tensor, { data, shape }, { data, dims } or nested arrays of numbers, got ${describe(value)}${hint}`,
  )
}

/** Reads the lengths of axes out of an array, each once. */
export function readShape(value: unknown, name: string): number[] {
  if (!isArray(value)) failShape(`${name} must be an array of axis lengths, got ${describe(value)}`)
  const length = value.length
  if (length > deepest) failShape(`${name} must have at most ${deepest} axes, got ${length}`)
  const shape: number[] = []
  for (let i = 0; i < length; i++) {
    const size: unknown = value[i]
    if (!isSafeInteger(size) || (size as number) < 0) {
      failShape(`${name}[${i}] must be an integer of at least 0, got ${describe(size)}`)
    }
    shape[i] = size as number
  }
  return shape
}

/** Throws `ERR_RNN_SHAPE` where `data` is no Float32Array with as many values as the shape holds. */
export function checkData(data: unknown, shape: readonly number[], prefix: string): void {
  if (typedArrayName(data) !== 'Float32Array') {
    const numbers = isArray(data) || (typedArrayName(data) !== undefined && !isBigInts(data))
    const areBytes = typedArrayName(data) === 'Uint8Array' && trueLength(data as Uint8Array) === 4 * elements(shape)
    const hint = areBytes
      ? '; bytes of float32 are new Float32Array(data.buffer, data.byteOffset, data.length / 4)'
      : numbers
        ? '; Float32Array.from(data) makes one'
        : ''
    failShape(`${prefix}data must be a Float32Array, got ${describe(data)}${hint}`)
  }
  checkCountOf(data as Float32Array, shape, prefix)
}

/** Throws `ERR_RNN_SHAPE` where a typed array truly has another number of values than the shape holds. */
export function checkCountOf(data: ArrayBufferView, shape: readonly number[], prefix: string): void {
  const length = trueLength(data)
  const count = elements(shape)
  if (count === length && count > 0) return
  const gone = length === 0 && isDetached(typedBuffer(data))
  if (count !== length) {
    const detached = gone ? ' (its buffer is detached)' : ''
    failShape(`${prefix}data must have length ${count} for shape ${list(shape)}, got length ${length}${detached}`)
  }
  // No values of it are wanted, but no native code takes such an array.
  if (gone) failShape(`${prefix}data must not be detached: its buffer was transferred`)
}

/** Whether a typed array's values are bigints. */
export function isBigInts(data: unknown): boolean {
  const name = typedArrayName(data)
  return name === 'BigInt64Array' || name === 'BigUint64Array'
}

/** What nested numbers are copied into, and whether bigints are numbers too. */
interface NestedTarget<A> {
  readonly make: (count: number) => A
  readonly bigints: boolean
}

const floats: NestedTarget<Float32Array> = { make: zeros, bigints: false }
const toNumber = Number

/** Copies nested arrays, each element read once; the innermost rows may be typed arrays. */
export function readNested<A extends Float32Array | Float64Array>(
  values: readonly unknown[],
  name: string,
  target: NestedTarget<A>,
): { data: A; shape: number[] } {
  const shape = nestedShape(values, name)
  const data = allocate(target.make, elements(shape), name)
  let next = 0
  const place: number[] = []
  const fill = (level: readonly unknown[], axis: number): void => {
    const length = shape[axis]
    const below = shape[axis + 1]
    const inner = axis === shape.length - 1
    for (let i = 0; i < length; i++) {
      const value = level[i]
      if (inner && typeof value === 'number') {
        data[next++] = value
        continue
      }
      if (inner && target.bigints && typeof value === 'bigint') {
        data[next++] = toNumber(value)
        continue
      }
      place[axis] = i
      if (inner) wrongValue(value, name, place.slice(0, axis + 1))
      if (isArray(value) && value.length === below) {
        fill(value as unknown[], axis + 1)
        continue
      }
      if (axis + 2 !== shape.length || !isRow(value, below)) ragged(value, below, name, place.slice(0, axis + 1))
      if (!copyRow(target.bigints, data, next, value)) wrongRow(value, name, place.slice(0, axis + 1))
      next += below
    }
  }
  fill(values, 0)
  return { data, shape }
}

/** Copies a row of checked length; false where it has bigints and the target takes none. Nothing of the caller's runs meanwhile. */
function copyRow(
  bigints: boolean,
  data: Float32Array | Float64Array,
  at: number,
  row: ArrayLike<number> & ArrayBufferView,
): boolean {
  if (!isBigInts(row)) setValues(data, row as ArrayLike<number>, at)
  else if (!bigints) return false
  else for (let i = 0, length = trueLength(row); i < length; i++) data[at + i] = toNumber(row[i])
  return true
}

/** The lengths of the first array of each level: what all others must have. */
export function nestedShape(values: readonly unknown[], name: string): number[] {
  const shape: number[] = []
  let level: unknown = values
  for (; isArray(level); level = level[0]) {
    if (shape.length === deepest) failShape(`${name} must be nested at most ${deepest} deep`)
    shape[shape.length] = level.length
    if (level.length === 0) return shape
  }
  if (typeof level === 'object' && typedArrayName(level) !== undefined) {
    shape[shape.length] = trueLength(level as Float32Array)
  }
  return shape
}

/** Whether a value is a typed array that truly has this length. */
export function isRow(value: unknown, length: number): value is ArrayLike<number> & ArrayBufferView {
  return typedArrayName(value) !== undefined && trueLength(value as Float32Array) === length
}

export function allocate<A>(make: (count: number) => A, count: number, name: string): A {
  try {
    return make(count)
  } catch (cause) {
    throw new RNNError('ERR_RNN_SHAPE', `${name} is too large: ${count} values`, { cause })
  }
}

/** `x[1][2]` */
export const placeOf = (name: string, indexes: readonly number[]) => `${name}${indexes.map((i) => `[${i}]`).join('')}`

function wrongValue(value: unknown, name: string, place: readonly number[]): never {
  const like = isArray(value) || typedArrayName(value) !== undefined ? ' as its neighbours are' : ''
  failShape(`${placeOf(name, place)} must be a number${like}, got ${describe(value)}`)
}

function wrongRow(row: unknown, name: string, place: readonly number[]): never {
  const hint = 'Float32Array.from(row, Number) makes one'
  failShape(`${placeOf(name, place)} must be a row of numbers, got ${describe(row)}; ${hint}`)
}

export function ragged(value: unknown, length: number, name: string, place: readonly number[]): never {
  const first = placeOf(name, [...place.slice(0, -1).map(() => 0), 0])
  const deeper = isRow(value, length) ? ' of arrays' : ''
  const wanted = `an array of length ${length}${deeper} as ${first} is`
  failShape(`${placeOf(name, place)} must be ${wanted}, got ${describe(value)}: nesting must not be ragged`)
}
