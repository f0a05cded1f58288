/** The careful reading of everything that can stand for a tensor; it alone knows what may be wrong with one. */
import { describe, fail, list, RNNError } from '../errors.ts'
import { hasOwn, isArray, isSafeInteger, zeros } from '../intrinsics/captured.ts'
import { property } from '../intrinsics/properties.ts'
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
  if (isArray(value)) return readNested(value, name)
  if (typeof value !== 'object' || value === null || typedArrayName(value) !== undefined) notTensor(value, name)
  const { shape, dims, data } = fieldsOf(value)
  if (shape === undefined && dims === undefined) notTensor(value, name)
  const own = shape === undefined ? readShape(dims, `${name}.dims`) : readShape(shape, `${name}.shape`)
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
function fieldsOf(value: object): Fields {
  if (!('shape' in allObjects || 'dims' in allObjects || 'data' in allObjects)) return value
  const shape = property(value, 'shape')
  const dims = shape === undefined ? property(value, 'dims') : undefined
  return { shape, dims, data: property(value, 'data') }
}

/** A getter that was read later can have detached or shrunk an array that was read before. */
export function checkNotDetached(name: string, { data, shape }: ReadTensor): void {
  const length = trueLength(data)
  if (length !== elements(shape)) {
    fail('ERR_RNN_SHAPE', `${name}.data must keep its length ${elements(shape)} during the call, but has ${length} now`)
  }
}

function notTensor(value: unknown, name: string): never {
  const hint =
    typedArrayName(value) !== undefined
      ? '; a typed array has no shape, so wrap it: new Tensor(data, shape)'
      : value instanceof Promise
        ? '; await it first'
        : typeof value === 'object' && value !== null && hasOwn(value, 'output')
          ? '; what forward gives has its tensor as output'
          : ''
  fail(
    'ERR_RNN_SHAPE',
    `${name} must be a Tensor, { data, shape }, { data, dims } or nested arrays of numbers, got ${describe(value)}${hint}`,
  )
}

/** Reads the lengths of axes out of an array, each once. */
export function readShape(value: unknown, name: string): number[] {
  if (!isArray(value)) fail('ERR_RNN_SHAPE', `${name} must be an array of axis lengths, got ${describe(value)}`)
  const length = value.length
  if (length > deepest) fail('ERR_RNN_SHAPE', `${name} must have at most ${deepest} axes, got ${length}`)
  const shape: number[] = []
  for (let i = 0; i < length; i++) {
    const size: unknown = value[i]
    if (!isSafeInteger(size) || (size as number) < 0) {
      fail('ERR_RNN_SHAPE', `${name}[${i}] must be an integer of at least 0, got ${describe(size)}`)
    }
    shape[i] = size as number
  }
  return shape
}

/** Throws `ERR_RNN_SHAPE` where `data` is no Float32Array with as many values as the shape holds. */
export function checkData(data: unknown, shape: readonly number[], prefix: string): void {
  if (typedArrayName(data) !== 'Float32Array') {
    const numbers = isArray(data) || (typedArrayName(data) !== undefined && !isBigInts(data))
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

function readNested(values: readonly unknown[], name: string): ReadTensor {
  const shape: number[] = []
  for (let level: unknown = values; isArray(level); level = level[0]) {
    if (shape.length === deepest) fail('ERR_RNN_SHAPE', `${name} must be nested at most ${deepest} deep`)
    shape[shape.length] = level.length
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
      if (!isArray(value) || value.length !== shape[axis + 1]) {
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
    return zeros(count)
  } catch (cause) {
    throw new RNNError('ERR_RNN_SHAPE', `${name} is too large: ${count} values`, { cause })
  }
}

function wrongValue(value: unknown, name: string, place: readonly number[]): never {
  const where = `${name}${place.map((i) => `[${i}]`).join('')}`
  if (isArray(value)) fail('ERR_RNN_SHAPE', `${where} must be a number as its neighbours are, got ${describe(value)}`)
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
