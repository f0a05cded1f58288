/** Rounding to the types that JavaScript has no array for; it alone knows their ranges. */

import { roundHalfEven } from '../precision/rounding.ts'
import { inStretches, type Pass } from './pace.ts'
import type { GraphTensor } from './tensor.ts'

const bits = new DataView(new ArrayBuffer(8))

/** To the nearest value of a binary format, ties to even; beyond its range to infinity. */
function toFormat(value: number, fraction: number, leastExponent: number, greatest: number): number {
  if (value === 0 || !Number.isFinite(value)) return value
  bits.setFloat64(0, value)
  const exponent = Math.max(((bits.getUint16(0) >> 4) & 0x7ff) - 1023, leastExponent)
  const step = 2 ** (exponent - fraction)
  const rounded = roundHalfEven(value / step) * step
  if (Math.abs(rounded) > greatest) return Math.sign(value) * Infinity
  return rounded === 0 && value < 0 ? -0 : rounded
}

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

const toHalf = (value: number) => toFormat(value, 10, -14, 65504)
const toBrain = (value: number) => toFormat(value, 7, -126, 255 * 2 ** 120)
