/** Functions of one floating-point number: activations, with factors of their own, and what stands beside them. */

import { roundHalfEven } from '../../precision/rounding.ts'
import type { Call } from '../call.ts'
import type { Pass } from '../pace.ts'
import { type GraphTensor, lengthOf } from '../tensor.ts'
import { applied, type Binary, mapped } from './arithmetic.ts'
import { erf, erfc } from './erf.ts'
import { type Rows, rowOf } from './row.ts'

/** A function of each floating-point value, made once a call out of the attributes. */
const row = (make: (call: Call) => (x: number) => number, attributes?: string): Rows[string] =>
  rowOf(
    (call) => {
      call.floats(0)
      return mapped(call, make(call))
    },
    1,
    1,
    attributes,
  )

const plain = (of: (x: number) => number) => row(() => of)

const elu = (alpha: number) => (x: number) => (x < 0 ? alpha * Math.expm1(x) : x)

/** x · Φ(x), by what is left of 1 where Φ is small. */
const gelu = (x: number) => (x === -Infinity ? 0 : 0.5 * x * erfc(-x / Math.SQRT2))

/** 1 + tanh(y) as 2 / (1 + e^(−2y)), which keeps its digits where it is near 0. */
const geluByTanh = (x: number) => {
  const y = Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)
  return x === -Infinity ? 0 : x / (1 + Math.exp(-2 * y))
}

const hardSigmoid = (alpha: number, beta: number) => (x: number) => Math.min(Math.max(alpha * x + beta, 0), 1)

const sloped: Binary = {
  number: (a, b) => (a < 0 ? a * b : a),
  big: (a, b) => (a < 0n ? a * b : a),
  integer: (a, b) => (a < 0 ? Math.imul(a, b) : a),
}

/** The slopes broadcast to x, and to nothing larger. */
function* prelu(call: Call): Pass<GraphTensor> {
  const [x, slope] = [call.input(0), call.input(1)]
  const made = yield* applied(call, sloped, x, slope)
  if (lengthOf(made) !== lengthOf(x)) call.fail(`slopes (${slope.shape}) of values (${x.shape})`)
  return made
}

export const activations: Rows = {
  Sqrt: plain(Math.sqrt),
  Exp: plain(Math.exp),
  Log: plain(Math.log),
  Reciprocal: plain((x) => 1 / x),
  Floor: plain(Math.floor),
  Ceil: plain(Math.ceil),
  Tanh: plain(Math.tanh),
  Sigmoid: plain((x) => 1 / (1 + Math.exp(-x))),
  Cos: plain(Math.cos),
  Sin: plain(Math.sin),
  Erf: plain(erf),
  Round: plain((x) => (x < 0 && x >= -0.5 ? -0 : roundHalfEven(x))),
  Elu: row((call) => elu(call.real('alpha', 1)), 'alpha'),
  Selu: row((call) => {
    // The numbers of the definition, as float32 has them.
    const gamma = call.real('gamma', Math.fround(1.05070102))
    const of = elu(call.real('alpha', Math.fround(1.67326319)))
    return (x) => gamma * of(x)
  }, 'alpha gamma'),
  LeakyRelu: row((call) => {
    const alpha = call.real('alpha', 0.01)
    return (x) => (x < 0 ? alpha * x : x)
  }, 'alpha'),
  HardSigmoid: row((call) => hardSigmoid(call.real('alpha', 0.2), call.real('beta', 0.5)), 'alpha beta'),
  HardSwish: plain((x) => x * hardSigmoid(1 / 6, 0.5)(x)),
  // By the larger of both: e^x alone would overflow.
  Softplus: plain((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  // NaN of an infinite x, as the formula and PyTorch say.
  Softsign: plain((x) => x / (1 + Math.abs(x))),
  Gelu: row((call) => {
    const kind = call.text('approximate', 'none')
    if (kind !== 'none' && kind !== 'tanh') call.unsupported(`approximate ${kind} is not supported`)
    return kind === 'tanh' ? geluByTanh : gelu
  }, 'approximate'),
  PRelu: rowOf(prelu, 2, 2),
}

export const microsoftGelu = plain(gelu)
