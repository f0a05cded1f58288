/** The dense layer: y = x · Wᵀ + b on rows (torch.nn.Linear), sums in double precision. */
import { bytesIn, newDoubles, zeros } from '../../../intrinsics/captured.ts'
import { KeptMatrix } from '../../../precision/kept.ts'
import type { Precision } from '../../../spec/weight-types.ts'
import type { OperatorCore } from '../../interface.ts'
import { MatrixProduct } from '../product.ts'

/** Sizes in, out; weight (out, in), bias (out) or none. */
export function linear(
  [inFeatures, outFeatures]: readonly number[],
  [weight, bias]: readonly (Float32Array | undefined)[],
  { weights, activations }: Precision,
): OperatorCore {
  const matrix = KeptMatrix.of(weights, weight as Float32Array, outFeatures, inFeatures)
  const product = new MatrixProduct(matrix, activations)
  const row = newDoubles(inFeatures)
  const sums = newDoubles(outFeatures)
  return {
    weightBytes: matrix.bytes + (bias ? bytesIn(bias) : 0),
    run(x, rows, into) {
      const y = into ?? zeros(rows * outFeatures)
      for (let r = 0; r < rows; r++) {
        for (let i = 0; i < inFeatures; i++) row[i] = x[r * inFeatures + i]
        product.run(sums, bias, row, 0, outFeatures)
        for (let j = 0; j < outFeatures; j++) y[r * outFeatures + j] = sums[j]
      }
      return y
    },
    dispose() {},
  }
}
