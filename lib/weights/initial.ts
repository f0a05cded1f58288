/** The weights that a new layer begins with; it alone knows their distribution. */

import { sqrt } from '../intrinsics/captured.ts'
import type { CellWeights, NetworkSpec } from '../spec/spec.ts'
import { elements } from '../tensor/shape.ts'
import { collectWeights } from './names.ts'
import type { Uniform } from './random.ts'

/** Initial weights as PyTorch's: all U(−1/√H, 1/√H), drawn in the order of names. */
export function drawWeights(spec: NetworkSpec, random: Uniform): CellWeights[] {
  const bound = 1 / sqrt(spec.hiddenSize)
  return collectWeights(spec, ({ shape, offset }, target) => {
    random.fill(target, offset, offset + elements(shape), bound)
  })
}
