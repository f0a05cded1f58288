/** Weights in fewer bytes: float32 to binary16, bfloat16 and rows of int8, and back. Finite values only; what rounds beyond a format was refused. */

import { abs, floor, fround, max } from '../intrinsics/captured.ts'
import type { WeightType } from '../spec/weight-types.ts'
import { word, wordBits } from './widening.ts'

/** The largest integer of an int8 row: symmetric, so that a sign is free. */
export const largestInt8 = 127

/** The least magnitude that rounds to infinity: half way between the largest number and the next power of two. */
const beyond: Readonly<Record<WeightType, number>> = {
  f32: Infinity,
  f16: 65520,
  bf16: 255.5 * 2 ** 120,
  // The largest float32 number of all, which 127 times its scale does not survive.
  int8: 2 ** 128 - 2 ** 104,
}

/** Whether a float32 weight is too large for a format. */
export function isBeyond(type: WeightType, value: number): boolean {
  return abs(value) >= beyond[type]
}

/** The largest magnitudes, as errors say them. */
const largest: Readonly<Record<WeightType, string>> = {
  f32: '3.4028235e38',
  f16: '65504',
  bf16: '3.3895314e38',
  int8: '3.4028233e38',
}

/** What a weight must be, for an error. */
export function rangeOf(type: WeightType): string {
  return `must be a number that ${type} can hold, at most ±${largest[type]}`
}

/** binary16, to nearest even. */
export function halfBits(value: number): number {
  word[0] = value
  const bits = wordBits[0]
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  // Below 2^−14 values lie 2^−24 apart.
  if (magnitude < 0x38800000) return sign | roundHalfEven(abs(word[0]) * 2 ** 24)
  // A carry out of the fraction goes on into the exponent, as it should.
  return sign | ((magnitude - (112 << 23) + 0xfff + ((magnitude >>> 13) & 1)) >>> 13)
}

/** bfloat16, to nearest even. */
export function bfloat16Bits(value: number): number {
  word[0] = value
  const bits = wordBits[0]
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16
}

/** The nearest integer, ties to the even one. */
export function roundHalfEven(value: number): number {
  const below = floor(value)
  const rest = value - below
  if (rest < 0.5) return below
  return rest > 0.5 || below % 2 !== 0 ? below + 1 : below
}

/** The scale of a row: its largest magnitude becomes 127. NaN where a value is not finite. */
export function scaleOf(values: Float32Array, from: number, count: number): number {
  let largest = 0
  for (let i = 0; i < count; i++) {
    const value = values[from + i]
    if (value - value !== 0) return Number.NaN
    largest = max(largest, abs(value))
  }
  return fround(largest / largestInt8)
}

/** The integer of a value by its row's scale; 0 in a row of zeros. */
export function quantized(value: number, scale: number): number {
  if (scale === 0) return 0
  // The quotient of two float32 numbers, rounded to double and then to float32, is rounded right.
  const q = roundHalfEven(fround(value / scale))
  return q > largestInt8 ? largestInt8 : q < -largestInt8 ? -largestInt8 : q
}
