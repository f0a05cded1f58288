/** What goes wrong, as clients are told: the same `{ status, code, message }` over HTTP and WebSocket. */

import { RNNError } from 'native-rnn'

const statuses = { ERR_RNN_SHAPE: 400, ERR_RNN_OPTION: 400, ERR_RNN_OVERLOADED: 503, ERR_RNN_DISPOSED: 503 }

/** An error with a status of its own. */
export const problem = (statusCode, code, message) => Object.assign(new Error(message), { statusCode, code })

/** The library's own words reach the client; those of errors that nobody foresaw stay here. */
export function describe(error) {
  if (error.name === 'AbortError') return { status: 499, code: 'GONE', message: 'the client is gone' }
  const status = (error instanceof RNNError ? statuses[error.code] : error.statusCode) ?? 500
  if (status === 500) return { status, code: 'INTERNAL', message: 'internal error' }
  return { status, code: error.code, message: error.message }
}

/** Days come one after the other; so none is taken twice, and none is left out, whatever a connection does. */
export function checkOrder({ date }, expected) {
  if (date !== expected) throw problem(400, 'ORDER', `date must be ${expected}, the day after the last, got ${date}`)
}
