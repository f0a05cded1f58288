/** What a run ends with where a value, not a shape, is wrong: the same words on every backend. */

import { RNNError } from '../errors.ts'

/** The error of a step that was given an index, or a length of a row, that its axis does not have. */
export function stepFailed(label: string, cause?: unknown): RNNError {
  const message = `index out of range: ${label} was given an index or a length beyond its axis`
  return new RNNError('ERR_RNN_OPTION', message, cause === undefined ? undefined : { cause })
}
