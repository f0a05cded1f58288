/** A matrix of weights times a vector, whatever the weights are kept in: widened four rows at a time, so that all kinds have the sums of one loop. */

import { fround, min, newDoubles, zeros } from '../../intrinsics/captured.ts'
import type { KeptMatrix } from '../../precision/kept.ts'
import { quantized, scaleOf } from '../../precision/rounding.ts'
import type { ActivationType } from '../../spec/weight-types.ts'
import { product } from './math.ts'

/** Rows that are widened at once: as many as {@link product} sums side by side. */
const block = 4

/** sums[i] = Σ_k weights[i, k] · a[k] + bias[i] for the rows `first` … `last`. */
export type MatrixProduct = (
  sums: Float64Array,
  bias: Float32Array | undefined,
  a: Float64Array,
  first: number,
  last: number,
) => void

export function matrixProduct(matrix: KeptMatrix, activations: ActivationType): MatrixProduct {
  const { type, columns: K } = matrix
  if (type === 'f32') return (sums, bias, a, first, last) => product(sums, matrix.memory, bias, a, K, first, last)
  const widened = zeros(block * K)
  const isInteger = activations === 'int8'
  // The vector in float32, then its integers; empty where it stays as it is.
  const rounded = zeros(isInteger ? K : 0)
  const integers = newDoubles(isInteger ? K : 0)

  /** The vector as integers and their scale; NaN where a value is not finite. */
  function quantize(a: Float64Array): number {
    for (let k = 0; k < K; k++) rounded[k] = a[k]
    const scale = scaleOf(rounded, 0, K)
    for (let k = 0; k < K; k++) integers[k] = quantized(rounded[k], scale)
    return scale
  }

  return (sums, bias, a, first, last) => {
    const step = isInteger ? quantize(a) : 1
    const vector = isInteger ? integers : a
    for (let i = first; i < last; i += block) {
      const end = min(i + block, last)
      matrix.read(i, end - i, widened)
      product(sums, widened, undefined, vector, K, i, end, i)
      if (type !== 'int8') continue
      // Of integers alone the sum is exact; both scales meet in one float32 number.
      for (let j = i; j < end; j++) sums[j] *= isInteger ? fround(matrix.scale(j) * step) : matrix.scale(j)
    }
    if (bias) for (let j = first; j < last; j++) sums[j] += bias[j]
  }
}
