/** The one error class of the package and the words that say what came; it alone knows the codes. */

/** The `code` of an {@link RNNError}. */
export type RNNErrorCode =
  | 'ERR_RNN_OPTION'
  | 'ERR_RNN_SHAPE'
  | 'ERR_RNN_STATE_DICT'
  | 'ERR_RNN_MODEL_FILE'
  | 'ERR_RNN_BACKEND'
  | 'ERR_RNN_STATE'
  | 'ERR_RNN_DISPOSED'
  | 'ERR_RNN_OVERLOADED'

/**
 * Every error that this package raises by itself. The message names the argument, the rule and what came.
 *
 * | code | when |
 * |---|---|
 * | `ERR_RNN_OPTION` | a constructor or call option is wrong: type, range, unknown name |
 * | `ERR_RNN_SHAPE` | a tensor's rank, shape or length does not fit |
 * | `ERR_RNN_STATE_DICT` | a weight is missing, left over, of the wrong shape, or not finite |
 * | `ERR_RNN_MODEL_FILE` | a safetensors or ONNX file is damaged or not supported |
 * | `ERR_RNN_BACKEND` | the backend asked for cannot run here |
 * | `ERR_RNN_STATE` | bytes of `save()` that are damaged or of other weights |
 * | `ERR_RNN_DISPOSED` | use after `dispose()` |
 * | `ERR_RNN_OVERLOADED` | the queue is full |
 *
 * @example
 * try {
 *   rnn.forward([[1, 2, 3, 4]])
 * } catch (error) {
 *   if (error instanceof RNNError && error.code === 'ERR_RNN_SHAPE') console.log(error.message)
 * }
 */
export class RNNError extends Error {
  /** What kind of error it is, stable over versions; the words are for people. */
  readonly code: RNNErrorCode

  /**
   * Made by the package; a program needs it only to imitate it in tests.
   *
   * @param code one of the codes above
   * @param message what was wrong
   * @param options `cause`, as for every Error
   */
  constructor(code: RNNErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
Object.defineProperty(RNNError.prototype, 'name', { value: 'RNNError', configurable: true, writable: true })

/** Throws an {@link RNNError}; reads as a statement or as the end of a `??` chain. */
export function fail(code: RNNErrorCode, message: string, options?: ErrorOptions): never {
  throw new RNNError(code, message, options)
}

const longestText = 60

/** What came, in a few words that fit an error message; never throws, whatever the value does. */
export function describe(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > longestText ? `${value.slice(0, longestText)}…` : value)
  }
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  try {
    if (Array.isArray(value)) return `an array of length ${value.length}`
    const name = String(value.constructor?.name ?? '') || 'object'
    const text = `${/^[AEIOU]/i.test(name) ? 'an' : 'a'} ${name === 'Object' ? 'object' : name}`
    return ArrayBuffer.isView(value) && !(value instanceof DataView)
      ? `${text} of length ${(value as Uint8Array).length}`
      : text
  } catch {
    return 'an object'
  }
}

/** `(1, 2, 4)`: a shape that is asked for, as PyTorch prints a tuple. */
export function tuple(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
}

/** `[1, 2, 4]`: a shape that came, as PyTorch prints sizes. */
export function list(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`
}
