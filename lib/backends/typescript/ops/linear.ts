/** The dense layer: y = x · Wᵀ + b on rows (torch.nn.Linear), sums in double precision. */
import { newDoubles, zeros } from '../../../intrinsics/captured.ts'
import type { OperatorCore } from '../../interface.ts'
import { product } from '../math.ts'

/** Sizes in, out; weight (out, in), bias (out) or none. */
export function linear(sizes: readonly number[], weights: readonly (Float32Array | undefined)[]): OperatorCore {
  // By index: iterators may have been replaced.
  const inFeatures = sizes[0]
  const outFeatures = sizes[1]
  const weight = weights[0]
  const bias = weights[1]
  const row = newDoubles(inFeatures)
  const sums = newDoubles(outFeatures)
  return {
    run(x, rows, into) {
      const y = into ?? zeros(rows * outFeatures)
      for (let r = 0; r < rows; r++) {
        for (let i = 0; i < inFeatures; i++) row[i] = x[r * inFeatures + i]
        product(sums, weight as Float32Array, bias, row, inFeatures, 0, outFeatures)
        for (let j = 0; j < outFeatures; j++) y[r * outFeatures + j] = sums[j]
      }
      return y
    },
    dispose() {},
  }
}
