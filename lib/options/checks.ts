/** The checks of options; it alone knows which names and ranges are right, and the words that refuse others. */
import { describe, failOption, named, unawaited } from '../errors.ts'
import { create, fround, hasOwn, isArray, isSafeInteger, keys } from '../intrinsics/captured.ts'
import { isObject, property } from '../intrinsics/properties.ts'
import type { BackendName, NetworkSpec } from '../spec/spec.ts'
import { activationTypes, type Precision, weightTypes } from '../spec/weight-types.ts'
import type { Inferred } from './options.ts'
import { nearest } from './suggest.ts'

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
    if (isSafeInteger(value) && (value as number) >= from && (value as number) <= to) return value as number
    const range = to === Number.MAX_SAFE_INTEGER ? 'a safe integer' : `an integer from ${from} to ${to}`
    return failOption(`${name} must be ${range}, got ${describe(value)}`)
  }
}

export const boolean: Check<boolean> = (value, name) =>
  typeof value === 'boolean' ? value : failOption(`${name} must be a boolean, got ${describe(value)}`)

export const string: Check<string> = (value, name) =>
  typeof value === 'string' ? value : failOption(`${name} must be a string, got ${describe(value)}`)

/** A value that its reader checks: tensors, lengths. */
export const anything: Check<unknown> = (value) => value

/** A plain copy of an object, each of its own properties read once. */
export const plainObject: Check<Record<string, unknown>> = (value, name) =>
  isRecord(value) ? { ...value } : failOption(`${name} must be an object, got ${describe(value)}${unawaited(value)}`)

/** One of a few words. */
export function oneOf<T extends string>(...words: readonly T[]): Check<T> {
  return (value, name) => {
    for (let i = 0; i < words.length; i++) if (words[i] === value) return words[i]
    const known = words.map((word) => `'${word}'`).join(', ')
    return failOption(`${name} must be one of ${known}, got ${describe(value)}`)
  }
}

const probability: Check<number> = (value, name) =>
  typeof value === 'number' && value >= 0 && value <= 1
    ? value
    : failOption(`${name} must be a number from 0 to 1, got ${describe(value)}`)

/** A size of a layer. */
export const size = integer(1, largestSize)
export const seed = integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
export const backendNames: readonly BackendName[] = ['avx512', 'avx2', 'neon', 'portable', 'wasm', 'typescript']
export const backendName = oneOf(...backendNames)

/** A bound, rounded to float32. */
const clip: Check<number> = (value, name) => {
  const rounded = typeof value === 'number' ? fround(value) : 0
  if (rounded > 0 && rounded < Infinity) return rounded
  return failOption(`${name} must be a finite float32 number above 0, got ${describe(value)}`)
}

/** The checks of {@link PrecisionOptions}; {@link precisionOf} checks that both go together. */
export const precisionChecks = { weights: oneOf(...weightTypes), activations: oneOf(...activationTypes) } as const

/** The formats that options ask for. */
export function precisionOf({ weights = 'f32', activations = 'f32' }: Checked<typeof precisionChecks>): Precision {
  if (activations === 'int8' && weights !== 'int8') {
    failOption(`activations 'int8' need weights 'int8', got weights '${weights}'`)
  }
  return { weights, activations }
}

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
  clip,
  ...precisionChecks,
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
  if (!isObject(options)) return
  const given = keys(options)
  for (let i = 0; i < given.length; i++) {
    const name = given[i]
    if (!hasOwn(inferred, name)) continue
    failOption(`unknown option '${name}' of ${where}: it is read off the keys and shapes of the state dict`)
  }
}

/** What a layer of a file has of its own may be given as an option too, as long as it says the same; `what` is whose it is. */
export function checkOwn(
  given: Checked<typeof layerChecks>,
  { bias, direction }: Pick<NetworkSpec, 'bias' | 'direction'>,
  what: string,
): void {
  const own = { numLayers: 1, bias, bidirectional: direction === 'bidirectional' }
  const names = keys(own) as (keyof typeof own)[]
  for (let i = 0; i < names.length; i++) {
    const wanted = given[names[i]]
    if (wanted === undefined || wanted === own[names[i]]) continue
    failOption(`${names[i]} must be left out, or be what ${what} has: ${own[names[i]]}, got ${describe(wanted)}`)
  }
}

/** Whether a value has fields of its own, by which it says something; a Map has none, and a promise none yet. */
export function isRecord(value: unknown): value is object {
  if (!isObject(value) || isArray(value)) return false
  return !(value instanceof Map || value instanceof Promise)
}

/**
 * Reads an options object's own properties: each known name once, no unknown one. Values that are undefined count as left out. Errors call it
 * `where`, and its options by their names with `prefix` before them.
 */
export function readOptions<C extends Checks>(options: unknown, checks: C, where: string, prefix = ''): Checked<C> {
  // Without a prototype: what a script adds to all objects is no option that was checked.
  const read: Record<string, unknown> = create(null)
  if (options === undefined) return read as Checked<C>
  if (!isRecord(options)) {
    const hint = where.endsWith('.forward')
      ? '; states go in as { h0 }, for an LSTM { h0, c0 }'
      : where.startsWith('Model.run')
        ? '; names of outputs go in as { outputs }'
        : typeof options === 'number' && (where === 'RNN' || where === 'GRU' || where === 'LSTM')
          ? `; what comes third in PyTorch is { numLayers: ${options} } here`
          : unawaited(options)
    failOption(`the options of ${where} must be an object, got ${describe(options)}${hint}`)
  }
  const given = keys(options)
  const known = keys(checks)
  for (let i = 0; i < given.length; i++) if (!hasOwn(checks, given[i])) unknownName(given[i], known, where)
  for (let i = 0; i < known.length; i++) {
    const name = known[i]
    const value = property(options, name)
    if (value !== undefined) read[name] = checks[name](value, prefix + name)
  }
  return read as Checked<C>
}

const elsewhere: Record<string, string> = {
  c0: 'only an LSTM has a cell state',
  hn: "what a call gives back as hn goes in as 'h0'",
  cn: "what a call gives back as cn goes in as 'c0' of an LSTM",
  output: 'states go in as { h0: hn }, for an LSTM { h0: hn, c0: cn }',
  data: 'a tensor is no options object; states go in as { h0 }',
  signal: 'what returns at once cannot be aborted: forwardAsync and runAsync take it',
}

/** Options that are objects of their own names. */
const groups = ['out', 'functions']

function unknownName(name: string, known: readonly string[], where: string): never {
  const near = nearest(name, known)
  const hint = near
    ? `; did you mean '${near}'?`
    : hasOwn(elsewhere, name) && !groups.includes(where)
      ? `; ${elsewhere[name]}`
      : `; it takes ${known.join(', ') || 'none'}`
  failOption(`unknown option '${named(name)}' of ${where}${hint}`)
}
