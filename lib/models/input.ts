/** The careful reading of what stands for a model's input, as the input's type asks; it alone knows which values each type takes. */

import { describe, failOption, failShape, list, unawaited } from '../errors.ts'
import { type ElementType, factsOf, type GraphData, kindOf, newData } from '../graph/tensor.ts'
import { isArray, isInteger, isSafeInteger } from '../intrinsics/captured.ts'
import { isObject } from '../intrinsics/properties.ts'
import { trueLength, typedArrayName } from '../intrinsics/typed-arrays.ts'
import { allocate, checkCountOf, fieldsOf, isRow, nestedShape, ownShape, placeOf, ragged } from '../tensor/read.ts'
import { elements } from '../tensor/shape.ts'

/** An input that was read: nothing of the caller's is asked again, but the values may be the caller's own array. */
export interface ReadInput {
  readonly data: GraphData
  readonly shape: readonly number[]
}

/** What an input must be. */
export interface InputRule {
  /** As messages name it. */
  readonly label: string
  readonly type: ElementType
  /** Undefined where the rank is open. */
  readonly shape: readonly (number | string | undefined)[] | undefined
}

/** Reads an input, each property once; its type is right then, its shape has still to be held against the model's. */
export function readInput(value: unknown, rule: InputRule): ReadInput {
  if (isArray(value)) return readNested(value, rule)
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return readOne(value, rule)
  if (typedArrayName(value) !== undefined) return readArray(value as GraphData, rule)
  if (!isObject(value)) notTensor(value, rule)
  const { shape, dims, data } = fieldsOf(value)
  const { label } = rule
  const own = ownShape(shape, dims, label) ?? notTensor(value, rule)
  if (typedArrayName(data) === undefined) {
    failShape(`${label}.data must be a ${factsOf(rule.type).arrayName}, got ${describe(data)}`)
  }
  checkKind(data as GraphData, rule, `${label}.data`)
  checkCountOf(data as GraphData, own, `${label}.`)
  return { data: ofType(data as GraphData, rule, `${label}.data`), shape: own }
}

/** A single value: as many axes of length 1 as the model asks for. */
function readOne(value: number | bigint | boolean, rule: InputRule): ReadInput {
  const shape: number[] = []
  for (let axis = 0; axis < (rule.shape?.length ?? 0); axis++) shape[axis] = 1
  const data = newData(rule.type, 1)
  data[0] = element(value, rule) ?? wrongValue(value, rule, rule.label)
  return { data, shape }
}

/** A typed array has no shape: the model must leave no doubt about it. */
function readArray(value: GraphData, rule: InputRule): ReadInput {
  const length = trueLength(value)
  const { shape, label } = rule
  const data = converted(value, rule, label)
  if (shape?.length === 1) return { data, shape: [length] }
  if (shape === undefined || !isKnown(shape)) {
    failShape(`${label} must have a shape: wrap the ${typedArrayName(value)}, { data, shape }`)
  }
  if (elements(shape) !== length) {
    failShape(`${label} must have ${elements(shape)} values, of shape ${list(shape)}, got ${length}`)
  }
  return { data, shape }
}

function isKnown(shape: readonly unknown[]): shape is readonly number[] {
  for (let axis = 0; axis < shape.length; axis++) if (typeof shape[axis] !== 'number') return false
  return true
}

/** Copies nested arrays, each element read once. */
function readNested(values: readonly unknown[], rule: InputRule): ReadInput {
  const { label, type } = rule
  const shape = nestedShape(values, label)
  const data = allocate((count) => newData(type, count), elements(shape), label)
  const place: number[] = []
  let next = 0
  const fill = (level: readonly unknown[], axis: number): void => {
    const length = shape[axis]
    const below = shape[axis + 1]
    for (let i = 0; i < length; i++) {
      const value = level[i]
      place[axis] = i
      if (axis === shape.length - 1)
        data[next++] = element(value, rule) ?? wrongValue(value, rule, placeOf(label, place))
      else if (isArray(value) && value.length === below) fill(value, axis + 1)
      else if (axis + 2 === shape.length && isRow(value, below)) {
        const row = converted(value as unknown as GraphData, rule, placeOf(label, place))
        for (let k = 0; k < below; k++) data[next++] = row[k]
      } else ragged(value, below, label, place)
    }
    place.length = axis
  }
  fill(values, 0)
  return { data, shape }
}

/** Floats are no integers, and the other way round. */
function checkKind(data: GraphData, { type }: InputRule, name: string): void {
  const given = typedArrayName(data)
  const isFloat = given === 'Float32Array' || given === 'Float64Array'
  if (isFloat === (kindOf(type) === 'float') && given !== 'Float16Array') return
  const hint =
    given === 'Int16Array' ? '; samples of 16 bits are Float32Array.from(samples, (sample) => sample / 32768)' : ''
  failShape(
    `${name} must be a ${factsOf(type).arrayName}, as the model's type is ${type}, got ${describe(data)}${hint}`,
  )
}

/** The values of a typed array in the array of the input's type; throws for one of the other kind. */
function converted(data: GraphData, rule: InputRule, name: string): GraphData {
  checkKind(data, rule, name)
  return ofType(data, rule, name)
}

/** The same of one whose kind is right: itself where it has the type already. */
function ofType(data: GraphData, rule: InputRule, name: string): GraphData {
  const { type } = rule
  const { arrayName, kind, bits } = factsOf(type)
  if (typedArrayName(data) === arrayName && kind !== 'bool' && bits !== 4) return data
  const length = trueLength(data)
  const values = newData(type, length)
  for (let i = 0; i < length; i++) values[i] = element(data[i], rule) ?? wrongValue(data[i], rule, `${name}[${i}]`)
  return values
}

const toNumber = Number
const toBigInt = BigInt
const { asIntN, asUintN } = BigInt

/** One value as the array of the type holds it; undefined where it is none of the type. */
function element(value: unknown, { type }: InputRule): number | bigint | undefined {
  const { kind, range } = factsOf(type)
  if (kind === 'float') return typeof value === 'number' ? value : undefined
  if (kind === 'bool' && typeof value === 'boolean') return value ? 1 : 0
  if (kind === 'big') {
    const big = isSafeInteger(value) ? toBigInt(value as number) : value
    return typeof big === 'bigint' && (type === 'int64' ? asIntN : asUintN)(64, big) === big ? big : undefined
  }
  const number = typeof value === 'bigint' ? toNumber(value) : value
  return isInteger(number) && (number as number) >= range![0] && (number as number) <= range![1]
    ? (number as number)
    : undefined
}

function wrongValue(value: unknown, { type }: InputRule, place: string): never {
  const kind = kindOf(type)
  const like = isArray(value) || typedArrayName(value) !== undefined
  if (like || kind === 'float') {
    const words = like ? 'a single value as its neighbours are' : 'a number'
    failShape(`${place} must be ${words}, got ${describe(value)}`)
  }
  const words = kind === 'bool' ? 'a boolean, 0 or 1' : `an integer of the range of ${type}`
  failOption(`${place} must be ${words}, got ${describe(value)}`)
}

function notTensor(value: unknown, { label, type }: InputRule): never {
  const hint = unawaited(value)
  failShape(
    `${label} must be { data, shape }, { data, dims }, nested arrays or a single value, of type ${type}, got ${describe(value)}${hint}`,
  )
}
