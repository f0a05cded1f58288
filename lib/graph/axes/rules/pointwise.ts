/** Operators that compute each value of the values at its own place. */

import { activations } from '../../operators/activate.ts'
import { arithmetic } from '../../operators/arithmetic.ts'
import { comparisons } from '../../operators/compare.ts'
import { numbers } from '../../operators/number.ts'
import { axesOf } from '../../tensor.ts'
import { type Rule, type Rules, ruleOfAll } from './rule.ts'

const together: Rule = (site) => site.together()

/** Of the first input alone; the others are parameters. */
const first: Rule = (site) => site.only(0)

/** Their operands are broadcast to one shape; a single one has it. */
const families = { ...activations, ...arithmetic, ...comparisons, ...numbers }

/** Scale and zero point may go along an axis. */
const quantized: Rule = (site) => {
  const trace = site.only(0)
  const scales = site.shape(1)
  if (scales.every((size) => size === 1)) return trace
  return site.apart(trace, scales.length > 1 ? axesOf(site.shape(0)) : [site.axis(1)], 'has a scale for each of')
}

export const pointwise: Rules = {
  ...ruleOfAll(families, together),
  Where: together,
  Cast: first,
  Clip: first,
  Dropout: first,
  Identity: first,
  CastLike: (site) => site.only(0, 1),
  DequantizeLinear: quantized,
  QuantizeLinear: quantized,
}
