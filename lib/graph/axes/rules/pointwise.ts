/** Operators that compute each value of the values at its own place. */

import { axesOf } from '../../tensor.ts'
import type { Rule, Rules } from './rule.ts'

const together: Rule = (site) => site.together()

/** Of the first input alone; the others are parameters. */
const first: Rule = (site) => site.only(0)

const ofOne =
  'Abs Cast Ceil Clip Cos Dropout Elu Erf Exp Floor Gelu HardSigmoid HardSwish Identity LeakyRelu Log Neg Not Reciprocal Relu Round Selu Sigmoid Sign Sin Softplus Softsign Sqrt Tanh'
const ofMany =
  'Add And Div Equal Greater GreaterOrEqual Less LessOrEqual Max Mean Min Mod Mul Or PRelu Pow Sub Sum Where Xor'

/** Scale and zero point may go along an axis. */
const quantized: Rule = (site) => {
  const trace = site.only(0)
  const scales = site.shape(1)
  if (scales.every((size) => size === 1)) return trace
  return site.apart(trace, scales.length > 1 ? axesOf(site.shape(0)) : [site.axis(1)], 'has a scale for each of')
}

export const pointwise: Rules = {
  ...Object.fromEntries(ofOne.split(' ').map((name) => [name, first])),
  ...Object.fromEntries(ofMany.split(' ').map((name) => [name, together])),
  CastLike: (site) => site.only(0, 1),
  DequantizeLinear: quantized,
  QuantizeLinear: quantized,
}
