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

/** What the promise rejects with; one that resolves fails the test. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('the promise must reject')
}

/** Expects the promise to reject with an RNNError of this code and these words. */
export async function expectRejected(promise: Promise<unknown>, code: RNNErrorCode, words: string | RegExp) {
  const error = await rejection(promise)
  expectError(
    () => {
      throw error
    },
    code,
    words,
  )
}
