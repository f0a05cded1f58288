/** Weights that did not come out of a state dict, held against the format that is to keep them. */

import { fail, list } from '../errors.ts'
import { floor } from '../intrinsics/captured.ts'
import { isBeyond, rangeOf } from '../precision/rounding.ts'
import type { CellWeights, NetworkSpec } from '../spec/spec.ts'
import { eachWeight, isMatrix } from './names.ts'

/** Throws `ERR_RNN_STATE_DICT` naming the first finite weight, by its key in a state dict, that its format cannot hold. */
export function checkRange(spec: NetworkSpec, weights: readonly CellWeights[]): void {
  if (spec.weights === 'f32') return
  eachWeight(spec, (entry, index) => {
    if (!isMatrix(entry)) return
    const values = weights[index][entry.field]!
    const [rows, columns] = entry.shape
    for (let i = 0; i < rows * columns; i++) {
      if (!isBeyond(spec.weights, values[i])) continue
      const place = list([floor(i / columns), i % columns])
      fail('ERR_RNN_STATE_DICT', `${entry.key} ${rangeOf(spec.weights)}, got ${values[i]} at ${place}`)
    }
  })
}
