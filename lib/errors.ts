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
 * | `ERR_RNN_OVERLOADED` | a batcher's queue is full, or it has as many streams as it may |
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
  constructor(code: RNNErrorCode, message: string, options?: { cause?: unknown }) {
    super(bounded(message), options)
    this.code = code
  }
}
Object.defineProperty(RNNError.prototype, 'name', { value: 'RNNError', configurable: true, writable: true })

/** Throws an {@link RNNError}; reads as a statement or as the end of a `??` chain. */
export function fail(code: RNNErrorCode, message: string, options?: { cause?: unknown }): never {
  throw new RNNError(code, message, options)
}

/** {@link fail} with the two codes that most errors have. */
export function failOption(message: string, options?: { cause?: unknown }): never {
  throw new RNNError('ERR_RNN_OPTION', message, options)
}

export function failShape(message: string, options?: { cause?: unknown }): never {
  throw new RNNError('ERR_RNN_SHAPE', message, options)
}

/** Throws for a method that was taken off its object: `const { forward } = layer`. `call`: how it is called, as `layer.forward`. */
export function checkThis(self: unknown, type: { readonly prototype: unknown }, call: string): void {
  if (self instanceof (type as abstract new () => unknown)) return
  const method = call.slice(call.indexOf('.') + 1)
  failOption(
    `${method} must be called on its object: ${call}(…); as a callback or a variable it has lost it, so pass () => ${call}(…)`,
  )
}

/** Code points of a name that are shown, of its beginning and its end: a file or a program may bring names of any length. */
const shownFirst = 60
const shownLast = 10
const longestMessage = 2000
/** Characters that no log, terminal or reader shows as one mark: line breaks, escapes, what turns the direction of text, half pairs. */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/gu

/** A name as it stands in a message: an ordinary one as it is, else shortened, and escaped as JSON escapes. */
export function named(name: string): string {
  return printable(shortName(name))
}

function shortName(name: string): string {
  const most = shownFirst + shownLast + 1
  // A code point has at most two units, so that no more of a name need be looked at.
  if (name.length <= most || (name.length <= 2 * most && [...name].length <= most)) return name
  const first = [...name.slice(0, 2 * shownFirst)].slice(0, shownFirst)
  const last = [...name.slice(-2 * shownLast)].slice(-shownLast)
  return `${first.join('')}…${last.join('')}`
}

/** The first few of a list; the rest is counted. */
export function some(texts: readonly string[], most: number, separator: string): string {
  if (texts.length <= most) return texts.join(separator)
  return `${texts.slice(0, most).join(separator)}${separator}… and ${texts.length - most} more`
}

function printable(text: string): string {
  return text.replace(unprintable, (character) => {
    const code = character.codePointAt(0)!
    if (code === 10) return '\\n'
    return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`
  })
}

/** Holds for every message, whatever went into it: one line, and no longer than a log takes. */
function bounded(message: string): string {
  if (typeof message !== 'string') return message
  const text = message.length > 2 * longestMessage ? shortened(message) : message
  return shortened(printable(text))
}

/** The end stays, for there stands what to do; no pair is cut in two. */
function shortened(message: string): string {
  if (message.length <= longestMessage) return message
  const first = message.slice(0, longestMessage - 401).replace(/[\ud800-\udbff]$/, '')
  return `${first}…${message.slice(-400).replace(/^[\udc00-\udfff]/, '')}`
}

/** What came, in a few words that fit an error message; never throws, whatever the value does. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return `"${printable(shortName(value).replace(/["\\]/g, '\\$&'))}"`
  // Ever more digits take ever more time.
  if (typeof value === 'bigint') return value < largestShown && value > -largestShown ? `${value}n` : 'a huge bigint'
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return named(String(value))
  try {
    if (Array.isArray(value)) return `an array of length ${value.length}`
    const name = named(String(value.constructor?.name ?? '')) || 'object'
    const text = withArticle(name === 'Object' ? 'object' : name)
    return ArrayBuffer.isView(value) && !(value instanceof DataView)
      ? `${text} of length ${(value as Uint8Array).length}`
      : text
  } catch {
    return 'an object'
  }
}

const largestShown = 2n ** 200n

/** What to do about a value in whose place a promise came. */
export function unawaited(value: unknown): string {
  return value instanceof Promise ? '; await it first' : ''
}

/** What to do about a layer or model that another copy of this package made, which has the name of a class and is none of it. */
export function foreign(value: unknown): string {
  return /^an? (RNN|GRU|LSTM|Model)$/.test(describe(value))
    ? ' of another copy of native-rnn, which `npm ls native-rnn` shows; share() and fromShared go from one to the other'
    : unawaited(value)
}

/** `1 step waits`, `2 steps wait`. */
export function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}

/** `(1, 2, 4)`: a shape that is asked for, as PyTorch prints a tuple. */
export function tuple(shape: readonly (number | string)[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
}

/** `[1, 2, 4]`: a shape that came, as PyTorch prints sizes. */
export function list(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`
}

/** `an LSTM`, `a GRU`: how the name of a class is said decides. */
export function withArticle(name: unknown): string {
  return `${/^([AEIO]|RNN|LSTM)/i.test(`${name}`) ? 'an' : 'a'} ${name}`
}
