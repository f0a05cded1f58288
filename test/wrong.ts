/** How tests read an error: its class, its code and its words. */
import { RNNError, type RNNErrorCode } from 'native-rnn'
import { expect } from 'vitest'

/** Expects an RNNError of this code whose message has these words, and gives it back. */
export function expectError(run: () => unknown, code: RNNErrorCode, words: string | RegExp): RNNError {
  let error: unknown
  try {
    run()
  } catch (thrown) {
    error = thrown
  }
  expect(error, `an error of ${code}`).toBeInstanceOf(RNNError)
  const { message, code: came } = error as RNNError
  expect({ code: came, message }).toEqual({
    code,
    message: typeof words === 'string' ? expect.stringContaining(words) : expect.stringMatching(words),
  })
  return error as RNNError
}
