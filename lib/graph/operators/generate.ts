/** Operators that make values of nothing but attributes, shapes and bounds. */

import { isObject } from '../../intrinsics/properties.ts'
import type { Budget } from '../budget.ts'
import type { Call } from '../call.ts'
import type { Pass } from '../pace.ts'
import { rounded } from '../rounding.ts'
import { type GraphTensor, kindOf } from '../tensor.ts'
import { type Rows, rowOf } from './row.ts'

function constant(call: Call): GraphTensor {
  const value = call.attribute('value')
  if (value !== undefined) return tensorOf(call, value)
  for (const [name, type, isList] of valueAttributes) {
    const given = call.attribute(name)
    const isOne = typeof given === 'number' || typeof given === 'bigint'
    if (isList ? !Array.isArray(given) : !isOne) continue
    const values = (isList ? given : [given]) as readonly (number | bigint)[]
    const made = call.allocate(type, isList ? [values.length] : [])
    for (const [i, one] of values.entries()) made.data[i] = type === 'int64' ? BigInt(one) : Number(one)
    return made
  }
  return call.unsupported('a value that is no tensor and no numbers is not supported')
}

const valueAttributes = [
  ['value_float', 'float32', false],
  ['value_floats', 'float32', true],
  ['value_int', 'int64', false],
  ['value_ints', 'int64', true],
] as const

function tensorOf(call: Call, value: unknown): GraphTensor {
  if (isObject(value)) {
    if ('tensor' in value) return (value.tensor as { read(budget: Budget): GraphTensor }).read(call.budget)
    if ('data' in value) return value as GraphTensor
  }
  return call.fail('the attribute value must be a tensor')
}

function constantOfShape(call: Call): GraphTensor {
  const shape = call.numbers(0) ?? call.fail('the shape is missing')
  const given = call.attribute('value')
  if (given === undefined) return call.allocate('float32', shape)
  const value = tensorOf(call, given)
  if (value.data.length !== 1) call.fail('the attribute value must be one value')
  const made = call.allocate(value.type, shape)
  if (call.isDry) return made
  made.data.fill(value.data[0] as never)
  return made
}

function* range(call: Call): Pass<GraphTensor> {
  const [first, limit, step] = [0, 1, 2].map((place) => call.input(place))
  const { type } = first
  if (limit.type !== type || step.type !== type) call.fail(`${type} beside ${limit.type} and ${step.type}`)
  const [start, end, delta] = ['start', 'limit', 'delta'].map((name, place) => call.number(place, name))
  if (delta === 0) call.fail('a step of 0')
  const made = call.allocate(type, [Math.max(0, Math.ceil((end - start) / delta))])
  const isBig = kindOf(type) === 'big'
  for (let i = 0; i < made.data.length; i++) {
    made.data[i] = isBig ? (first.data[0] as bigint) + BigInt(i) * (step.data[0] as bigint) : start + i * delta
  }
  return yield* rounded(made)
}

export const generators: Rows = {
  Constant: rowOf(constant, 0, 0, 'value value_float value_floats value_int value_ints'),
  ConstantOfShape: rowOf(constantOfShape, 1, 1, 'value'),
  Range: rowOf(range, 3, 3),
}
