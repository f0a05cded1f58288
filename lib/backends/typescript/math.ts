/** Sums and activations in double precision; the sums' order lives here alone. */

import { exp } from '../../intrinsics/captured.ts'

/** 1 / (1 + e^-x); exact at both ends, NaN stays NaN. */
export function sigmoid(x: number): number {
  return 1 / (1 + exp(-x))
}

/** max(x, 0), but NaN stays NaN. */
export function relu(x: number): number {
  return x < 0 ? 0 : x + 0
}

/**
 * Rows `first` … `last` of a matrix times a vector: sums[i] = Σ_k weights[i·K + k] · a[k] + bias[i]. Four rows at a time, so that four sums
 * hide each other's latency; each sum runs over k in order. The matrix may begin with row `base`.
 */
export function product(
  sums: Float64Array,
  weights: Float32Array,
  bias: Float32Array | undefined,
  a: Float64Array,
  K: number,
  first: number,
  last: number,
  base = 0,
): void {
  let i = first
  for (; i + 4 <= last; i += 4) {
    let s0 = 0
    let s1 = 0
    let s2 = 0
    let s3 = 0
    const row = (i - base) * K
    for (let k = 0; k < K; k++) {
      const value = a[k]
      s0 += weights[row + k] * value
      s1 += weights[row + K + k] * value
      s2 += weights[row + 2 * K + k] * value
      s3 += weights[row + 3 * K + k] * value
    }
    sums[i] = s0
    sums[i + 1] = s1
    sums[i + 2] = s2
    sums[i + 3] = s3
  }
  for (; i < last; i++) {
    let sum = 0
    for (let k = 0; k < K; k++) sum += weights[(i - base) * K + k] * a[k]
    sums[i] = sum
  }
  if (bias) for (let j = first; j < last; j++) sums[j] += bias[j]
}
