/** Rounding of tensors to the types that JavaScript has no array for; their values lie as float32. */

import { bfloat16Bits, halfBits, isBeyond } from '../precision/rounding.ts'
import { bfloat16ToNumber, halfToNumber } from '../precision/widening.ts'
import type { WeightType } from '../spec/weight-types.ts'
import { inStretches, type Pass } from './pace.ts'
import type { GraphTensor } from './tensor.ts'

/** A tensor whose values were computed in float32 or double precision, rounded in place to what its type can hold. */
export function* rounded(tensor: GraphTensor): Pass<GraphTensor> {
  const { type, data } = tensor
  if (type !== 'float16' && type !== 'bfloat16') return tensor
  const of = type === 'float16' ? toHalf : toBrain
  const round = (from: number, to: number) => {
    for (let i = from; i < to; i++) data[i] = of(data[i] as number)
  }
  yield* inStretches(data.length, round, 4)
  return tensor
}

/** To the nearest value, ties to even; beyond the range to infinity. */
const toHalf = (value: number) => held('f16', value) ?? halfToNumber(halfBits(value))
const toBrain = (value: number) => held('bf16', value) ?? bfloat16ToNumber(bfloat16Bits(value))

/** What is no number of its own in a format. */
function held(type: WeightType, value: number): number | undefined {
  if (value - value !== 0) return value
  return isBeyond(type, value) ? Math.sign(value) * Infinity : undefined
}
