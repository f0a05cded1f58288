/** Model files by their path: how one is read, and the errors that name it. */

import { describe, fail, failOption, RNNError, unawaited } from '../errors.ts'
import { readFile } from '../platform/files.ts'

/** Refuses what is no path of a file; `byBytes` is how bytes are read that are there already. */
export function checkPath(path: unknown, byBytes: string): asserts path is string | URL {
  if (typeof path === 'string' || (typeof URL === 'function' && path instanceof URL)) return
  const hint = ArrayBuffer.isView(path) || path instanceof ArrayBuffer ? `; ${byBytes} reads bytes` : unawaited(path)
  failOption(`path must be a string or a URL, got ${describe(path)}${hint}`)
}

/** Reads the file at a path; what `read` refuses is refused with the path. Errors of the file system and of the network pass as they are. */
export async function readAt<T>(path: string | URL, read: (bytes: Uint8Array) => T): Promise<T> {
  const bytes = await readFile(path, (why) => fail('ERR_RNN_MODEL_FILE', `${path}: ${why}`))
  try {
    return read(bytes)
  } catch (error) {
    if (!(error instanceof RNNError)) throw error
    throw new RNNError(error.code, `${path}: ${error.message}`, { cause: error })
  }
}
