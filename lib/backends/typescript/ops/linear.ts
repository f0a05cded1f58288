/** The dense layer: y = x · Wᵀ + b on rows (torch.nn.Linear), sums in double precision. */
import { bytesIn, copyOf, newDoubles, zeros } from '../../../intrinsics/captured.ts'
import { KeptMatrix } from '../../../precision/kept.ts'
import type { Precision } from '../../../spec/weight-types.ts'
import type { OperatorCore } from '../../interface.ts'
import { matrixProduct } from '../product.ts'

/** Sizes in, out; weight (out, in), bias (out) or none. */
export function linear(
  sizes: readonly number[],
  weights: readonly (Float32Array | undefined)[],
  precision: Precision,
): OperatorCore {
  // By index: iterators may have been replaced.
  const inFeatures = sizes[0]
  const outFeatures = sizes[1]
  const bias = weights[1]
  const matrix = KeptMatrix.of(precision.weights, weights[0] as Float32Array, outFeatures, inFeatures)
  const product = matrixProduct(matrix, precision.activations)
  const row = newDoubles(inFeatures)
  const sums = newDoubles(outFeatures)
  return {
    weightBytes: matrix.bytes + (bias ? bytesIn(bias) : 0),
    run(x, rows, into) {
      const y = into ?? zeros(rows * outFeatures)
      for (let r = 0; r < rows; r++) {
        for (let i = 0; i < inFeatures; i++) row[i] = x[r * inFeatures + i]
        product(sums, bias, row, 0, outFeatures)
        for (let j = 0; j < outFeatures; j++) y[r * outFeatures + j] = sums[j]
      }
      return y
    },
    weights: () => [matrix.plain(), bias ? copyOf(bias) : zeros(outFeatures)],
    dispose() {},
  }
}
