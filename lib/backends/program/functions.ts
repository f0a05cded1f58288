/** Operators that are a function of each value alone: which one, and with which factors. Products ask it too, for what may follow them. */

import type { Call } from '../../graph/call.ts'
import { mapFunction } from '../protocol.ts'

/** A function of a `map`, or of what follows a product. */
export type MapCall = readonly [fn: number, alpha: number, beta: number]

/** No function at all. */
export const plain: MapCall = [-1, 0, 0]

type Make = (call: Call) => MapCall | undefined

/** A function, with the attributes that are its factors and their defaults. */
const of =
  (name: keyof typeof mapFunction, factors: Readonly<Record<string, number>> = {}): Make =>
  (call) => {
    const [alpha = 0, beta = 0] = Object.entries(factors).map(([key, otherwise]) => call.real(key, otherwise))
    return [mapFunction[name], alpha, beta]
  }

/** Rows of operators that are named as their functions are, but for the first letter. */
export const namedAlike = <Name extends string, Row>(
  operators: string,
  row: (name: Name) => Row,
): Record<string, Row> =>
  Object.fromEntries(operators.split(' ').map((name) => [name, row((name[0].toLowerCase() + name.slice(1)) as Name)]))

/** Undefined where a bound is not known before the run. */
const clip: Make = (call) => {
  const bound = (place: number, name: string, otherwise: number) => {
    const given = call.inputs[place]
    return given?.isPhantom ? Number.NaN : Number(given?.data[0] ?? call.attribute(name) ?? otherwise)
  }
  const [alpha, beta] = [bound(1, 'min', Number.NEGATIVE_INFINITY), bound(2, 'max', Number.POSITIVE_INFINITY)]
  return Number.isNaN(alpha) || Number.isNaN(beta) ? undefined : [mapFunction.clip, alpha, beta]
}

/** By one slope for all it is a leaky ReLU. */
const prelu: Make = (call) => {
  const [x, slope] = call.inputs
  if (slope === undefined || slope.isPhantom || slope.data.length !== 1) return undefined
  if (slope.shape.length > (x?.shape.length ?? 0)) return undefined
  return [mapFunction.leakyRelu, Number(slope.data[0]), 0]
}

const gelu: Make = (call) => of(call.text('approximate', 'none') === 'tanh' ? 'geluTanh' : 'gelu')(call)

/** By the operator's name; all of float values. */
export const mapCalls: Readonly<Record<string, Make>> = {
  ...namedAlike(
    'Abs Ceil Cos Erf Exp Floor HardSwish Log Neg Reciprocal Relu Round Sigmoid Sign Sin Softplus Softsign Sqrt Tanh',
    of,
  ),
  Clip: clip,
  Elu: of('elu', { alpha: 1 }),
  Gelu: gelu,
  HardSigmoid: of('hardSigmoid', { alpha: 0.2, beta: 0.5 }),
  LeakyRelu: of('leakyRelu', { alpha: 0.01 }),
  PRelu: prelu,
  Selu: of('selu', { alpha: 1.67326319, gamma: 1.05070102 }),
}
