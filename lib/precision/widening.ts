/** The floating-point formats of 16 and 8 bits that model files have, widened; each value of any is exact in float32. */

import { intsOver, zeros } from '../intrinsics/captured.ts'

/** One float32 number, and its bits: a place to look at either. */
export const word = zeros(1)
export const wordBits = intsOver(word)

/** IEEE 754 binary16 (F16, FLOAT16): 5 bits of exponent, 10 of fraction. */
export function halfToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 31
  const fraction = half & 1023
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/** bfloat16 (BF16, BFLOAT16): the upper half of a float32. */
export function bfloat16ToNumber(half: number): number {
  wordBits[0] = half << 16
  return word[0]
}

/** F8_E5M2: 5 bits of exponent, 2 of fraction, which is the upper half of a binary16. */
export function float8E5M2ToNumber(byte: number): number {
  return halfToNumber(byte << 8)
}

/** F8_E4M3 (PyTorch's float8_e4m3fn): 4 bits of exponent, 3 of fraction; no infinity, and one NaN of either sign. */
export function float8E4M3ToNumber(byte: number): number {
  const sign = byte & 0x80 ? -1 : 1
  const exponent = (byte >> 3) & 15
  const fraction = byte & 7
  if ((byte & 0x7f) === 0x7f) return Number.NaN
  return sign * (exponent === 0 ? fraction * 2 ** -9 : (8 + fraction) * 2 ** (exponent - 10))
}
