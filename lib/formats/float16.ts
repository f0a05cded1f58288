/** The two 16-bit floating-point formats of model files, widened; each value of either is exact in float32. */

const bits = new DataView(new ArrayBuffer(4))

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
  bits.setUint32(0, half << 16)
  return bits.getFloat32(0)
}
