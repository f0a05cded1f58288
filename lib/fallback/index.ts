/** The TypeScript backend: specification, fallback and independent check of the native one in one. */
import type { Backend } from '../backend.ts'
import { product } from './math.ts'
import { FallbackNetwork } from './network.ts'

export const fallback: Backend = {
  name: 'typescript',
  network: (spec, weights) => new FallbackNetwork(spec, weights),
  linear(inFeatures, outFeatures, weight, bias) {
    const row = new Float64Array(inFeatures)
    const sums = new Float64Array(outFeatures)
    return {
      forward(x, rows) {
        const y = new Float32Array(rows * outFeatures)
        for (let r = 0; r < rows; r++) {
          for (let i = 0; i < inFeatures; i++) row[i] = x[r * inFeatures + i]
          product(sums, weight, bias, row, inFeatures, 0, outFeatures)
          y.set(sums, r * outFeatures)
        }
        return y
      },
      dispose() {},
    }
  },
}
