/** Weights held against the format that is to keep them. */

import { fail, list } from '../errors.ts'
import { isBeyond, rangeOf } from '../precision/rounding.ts'
import type { CellWeights, NetworkSpec } from '../spec/spec.ts'
import type { WeightType } from '../spec/weight-types.ts'
import { elements, placeIn } from '../tensor/shape.ts'
import { eachWeight, isMatrix } from './names.ts'

/** What is wrong with the first weight that is not finite, or that its format cannot hold; undefined where all are right. */
export function wrongValue(
  values: Float32Array,
  shape: readonly number[],
  type: WeightType,
  offset = 0,
): string | undefined {
  const count = elements(shape)
  for (let i = 0; i < count; i++) {
    const value = values[offset + i]
    const isNumber = value - value === 0
    if (isNumber && (type === 'f32' || !isBeyond(type, value))) continue
    return `${isNumber ? rangeOf(type) : 'must be finite'}, got ${value} at ${list(placeIn(shape, i))}`
  }
  return undefined
}

/** Throws `ERR_RNN_STATE_DICT` naming the first weight, by its key in a state dict, that its format cannot hold. */
export function checkRange(spec: NetworkSpec, weights: readonly CellWeights[]): void {
  if (spec.weights === 'f32') return
  eachWeight(spec, (entry, index) => {
    const wrong = isMatrix(entry) ? wrongValue(weights[index][entry.field]!, entry.shape, spec.weights) : undefined
    if (wrong !== undefined) fail('ERR_RNN_STATE_DICT', `${entry.key} ${wrong}`)
  })
}
