/** Every option's type, default and check; it alone knows which names and ranges are right. */
import type { BackendName } from '../backends/interface.ts'
import { describe, fail } from '../errors.ts'

/** What RNN, GRU and LSTM have in common. */
export interface LayerOptions {
  /** Layers on top of each other: 1 (default) to 64. */
  numLayers?: number
  /** Whether the gates have biases; true by default. */
  bias?: boolean
  /** `input` and `output` are (B, T, …) in place of (T, B, …); as in PyTorch it does not apply to states. Default false. */
  batchFirst?: boolean
  /** A second set of weights runs backward in time, and both outputs stand side by side. Default false. */
  bidirectional?: boolean
  /** 0 to 1; accepted for PyTorch's sake: inference never drops. */
  dropout?: number
  /** Any integer: makes the initial weights reproducible. They are U(−1/√H, 1/√H). */
  seed?: number
  /** Default: the best one this machine can run. */
  backend?: BackendName
  /** The most threads one call may use; 1 by default. */
  threads?: number
}

/** Options of {@link RNN}. */
export interface RNNOptions extends LayerOptions {
  /** What follows the sum: `'tanh'` (default) or `'relu'`. */
  nonlinearity?: 'tanh' | 'relu'
}

/** Options of {@link GRU}. */
export interface GRUOptions extends LayerOptions {
  /** Where the reset gate acts: true (default) on the product, as PyTorch and cuDNN; false on the state before it. */
  resetAfter?: boolean
}

/** Options of {@link LSTM}. */
export interface LSTMOptions extends LayerOptions {
  /** 0 (default): none; else the state that goes on has this size, below the hidden size. */
  projSize?: number
  /** Whether the gates see the cell state; false by default. */
  peepholes?: boolean
}

/** What `fromStateDict` reads off the keys and shapes, and so does not take. */
export type Inferred = 'numLayers' | 'bias' | 'bidirectional' | 'projSize' | 'peepholes'

/** Options of `fromStateDict` on RNN, GRU and LSTM. */
export type FromStateDictOptions<Options> = Omit<Options, Inferred> & PrefixOptions

/** Options of `loadStateDict`. */
export interface PrefixOptions {
  /** Only keys that begin with this are read: `'rnn.'` (or `'rnn'`) for the key `rnn.weight_ih_l0`. Default: all keys. */
  prefix?: string
}

/** The largest input or hidden size. */
export const largestSize = 2 ** 20
/** The most layers of one network. */
export const mostLayers = 64
const mostThreads = 1024

export type Check<T> = (value: unknown, name: string) => T
type Checks = Readonly<Record<string, Check<unknown>>>
export type Checked<C extends Checks> = { -readonly [K in keyof C]?: ReturnType<C[K]> }

/** An integer of the range, both ends included. */
export function integer(from: number, to: number): Check<number> {
  return (value, name) => {
    if (Number.isSafeInteger(value) && (value as number) >= from && (value as number) <= to) return value as number
    const range = to === Number.MAX_SAFE_INTEGER ? 'a safe integer' : `an integer from ${from} to ${to}`
    return fail('ERR_RNN_OPTION', `${name} must be ${range}, got ${describe(value)}`)
  }
}

export const boolean: Check<boolean> = (value, name) =>
  typeof value === 'boolean' ? value : fail('ERR_RNN_OPTION', `${name} must be a boolean, got ${describe(value)}`)

export const string: Check<string> = (value, name) =>
  typeof value === 'string' ? value : fail('ERR_RNN_OPTION', `${name} must be a string, got ${describe(value)}`)

/** A value that its reader checks: tensors, lengths. */
export const anything: Check<unknown> = (value) => value

/** One of a few words. */
export function oneOf<T extends string>(...words: readonly T[]): Check<T> {
  return (value, name) =>
    words.includes(value as T)
      ? (value as T)
      : fail(
          'ERR_RNN_OPTION',
          `${name} must be one of ${words.map((w) => `'${w}'`).join(', ')}, got ${describe(value)}`,
        )
}

const probability: Check<number> = (value, name) =>
  typeof value === 'number' && value >= 0 && value <= 1
    ? value
    : fail('ERR_RNN_OPTION', `${name} must be a number from 0 to 1, got ${describe(value)}`)

/** A size of a layer. */
export const size = integer(1, largestSize)
export const seed = integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
export const backendName = oneOf<BackendName>('avx512', 'avx2', 'neon', 'portable', 'typescript')

/** The checks of {@link LayerOptions}. */
export const layerChecks = {
  numLayers: integer(1, mostLayers),
  bias: boolean,
  batchFirst: boolean,
  bidirectional: boolean,
  dropout: probability,
  seed,
  backend: backendName,
  threads: integer(1, mostThreads),
} as const

/** The checks of {@link PrefixOptions}. */
export const prefixChecks = { prefix: string } as const

const inferred: Readonly<Record<Inferred, true>> = {
  numLayers: true,
  bias: true,
  bidirectional: true,
  projSize: true,
  peepholes: true,
}

/** `fromStateDict` takes no option that it reads off the dict: two sources could disagree. */
export function refuseInferred(options: unknown, where: string): void {
  if (typeof options !== 'object' || options === null) return
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(inferred, name)) continue
    fail('ERR_RNN_OPTION', `unknown option '${name}' of ${where}: it is read off the keys and shapes of the state dict`)
  }
}

/** Reads an options object: each known name once, no unknown one. Values that are undefined count as left out. */
export function readOptions<C extends Checks>(options: unknown, checks: C, where: string): Checked<C> {
  const read: Record<string, unknown> = {}
  if (options === undefined) return read as Checked<C>
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const hint = where.endsWith('.forward')
      ? '; states go in as { h0 }, for an LSTM { h0, c0 }'
      : typeof options === 'number' && !where.includes('.')
        ? `; what comes third in PyTorch is { numLayers: ${options} } here`
        : ''
    fail('ERR_RNN_OPTION', `the options of ${where} must be an object, got ${describe(options)}${hint}`)
  }
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(checks, name)) unknownName(name, Object.keys(checks), where)
  }
  for (const name of Object.keys(checks)) {
    const value = (options as Record<string, unknown>)[name]
    if (value !== undefined) read[name] = checks[name](value, name)
  }
  return read as Checked<C>
}

const elsewhere: Record<string, string> = {
  c0: 'only an LSTM has a cell state',
  hn: "what a call gives back as hn goes in as 'h0'",
  cn: "what a call gives back as cn goes in as 'c0' of an LSTM",
  data: 'a tensor is no options object; states go in as { h0 }',
}

function unknownName(name: string, known: readonly string[], where: string): never {
  const near = nearest(name, known)
  const hint = near
    ? `; did you mean '${near}'?`
    : Object.hasOwn(elsewhere, name)
      ? `; ${elsewhere[name]}`
      : `; it takes ${known.join(', ') || 'none'}`
  fail('ERR_RNN_OPTION', `unknown option '${name.slice(0, 60)}' of ${where}${hint}`)
}

/** The known name that was probably meant, if one is close: PyTorch's spelling counts as equal. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const plain = (text: string) => text.slice(0, 64).replaceAll('_', '').toLowerCase()
  const wanted = plain(name)
  let best: string | undefined
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1
  for (const candidate of known) {
    const distance = edits(wanted, plain(candidate))
    // Two letters that differ by one are no likeness: h0 is not c0.
    if (distance < least && distance < candidate.length - 1) {
      best = candidate
      least = distance
    }
  }
  return best
}

/** The least number of letters to insert, delete or replace. */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
    }
    row = next
  }
  return row[b.length]
}
