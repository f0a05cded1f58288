/** The attributes of ONNX's recurrent nodes: which there are, which values this package can compute, and the words that refuse. */

import { describe, fail, named } from '../../errors.ts'
import { isArray } from '../../intrinsics/captured.ts'
import { entryOf } from '../../intrinsics/properties.ts'
import { cellFunction } from '../../options/functions.ts'
import { activationNames, traitsOf } from '../../spec/activations.ts'
import { type CellFunction, type CellFunctions, usualFunctions } from '../../spec/cell-functions.ts'
import type { Direction } from '../../spec/spec.ts'

/** The recurrent operators of ONNX. */
export type OnnxOpType = 'RNN' | 'GRU' | 'LSTM'

/** What a node's attributes say. */
export interface NodeAttributes {
  readonly direction: Direction
  /** Undefined where the node leaves it to the weights. */
  readonly hiddenSize?: number
  /** linear_before_reset: the reset gate acts on the product. */
  readonly resetAfter: boolean
  readonly functions: CellFunctions
  /** layout = 1. */
  readonly batchFirst: boolean
}

const directions: readonly unknown[] = ['forward', 'reverse', 'bidirectional']

/** Attributes that are integers: the largest value, and the operator they belong to where it is only one. */
const integers: Readonly<Record<string, { readonly most: number; readonly only?: OnnxOpType }>> = {
  hidden_size: { most: Number.MAX_SAFE_INTEGER },
  layout: { most: 1 },
  linear_before_reset: { most: 1, only: 'GRU' },
  input_forget: { most: 1, only: 'LSTM' },
  output_sequence: { most: 1 }, // of the oldest operator set: whether there is an output Y
}

/** Reads attributes, each once; one that is unknown or asks for what there is not is refused by its name. */
export function readNodeAttributes(opType: OnnxOpType, attributes: Readonly<Record<string, unknown>>): NodeAttributes {
  const values: Record<string, unknown> = Object.create(null)
  const refusal =
    (name: string): Refusal =>
    (why) =>
      // A name out of a file may be of any length.
      fail('ERR_RNN_MODEL_FILE', `The attribute ${named(name)} of ${opType} ${why}`)
  for (const name of Object.keys(attributes)) {
    const value = attributes[name]
    if (value !== undefined) values[name] = readValue(name, value, opType, refusal(name))
  }
  const direction = (values.direction ?? 'forward') as Direction
  return {
    direction,
    hiddenSize: values.hidden_size as number | undefined,
    resetAfter: values.linear_before_reset === 1,
    functions: {
      directions: readFunctions(opType, direction === 'bidirectional' ? 2 : 1, values, refusal),
      clip: (values.clip as number | undefined) ?? Infinity,
      inputForget: values.input_forget === 1,
    },
    batchFirst: values.layout === 1,
  }
}

type Refusal = (why: string) => never

function readValue(name: string, value: unknown, opType: OnnxOpType, refuse: Refusal): unknown {
  if (name === 'activations')
    return isArray(value) ? [...value] : refuse(`must be an array of names, got ${describe(value)}`)
  if (name === 'activation_alpha' || name === 'activation_beta') return floats(value, refuse)
  if (name === 'clip') return readClip(value, refuse)
  if (name === 'direction') {
    if (directions.includes(value)) return value
    return refuse(`must be 'forward', 'reverse' or 'bidirectional', got ${describe(value)}`)
  }
  const rule = entryOf(integers, name)
  if (rule === undefined) return refuse('is not known')
  if (rule.only !== undefined && rule.only !== opType) return refuse(`belongs to ${rule.only} alone`)
  const number = typeof value === 'bigint' ? Number(value) : value
  const least = name === 'hidden_size' ? 1 : 0
  if (!Number.isSafeInteger(number) || (number as number) < least || (number as number) > rule.most) {
    return refuse(`must be an integer ${rule.most === 1 ? 'that is 0 or 1' : 'of at least 1'}, got ${describe(value)}`)
  }
  return number
}

function readClip(value: unknown, refuse: Refusal): number {
  if (typeof value !== 'number' && typeof value !== 'bigint') return refuse(`must be a number, got ${describe(value)}`)
  const rounded = Math.fround(Number(value))
  return rounded > 0 ? rounded : refuse(`must be above 0, got ${describe(value)}`)
}

function floats(value: unknown, refuse: Refusal): number[] {
  if (!isArray(value) && !ArrayBuffer.isView(value))
    return refuse(`must be an array of numbers, got ${describe(value)}`)
  return Array.from(value as ArrayLike<unknown>, (one) => {
    const number = typeof one === 'bigint' ? Number(one) : one
    if (typeof number === 'number' && Number.isFinite(Math.fround(number))) return number
    return refuse(`must have finite float32 numbers, got ${describe(one)}`)
  })
}

/** ONNX's names in lower case, which is how they are compared. */
const byName = new Map(activationNames.map((name) => [name.toLowerCase(), name]))

/** The functions of each direction. The lists of factors have an entry only for a function that takes one, in their order. */
function readFunctions(
  opType: OnnxOpType,
  D: number,
  { activations, activation_alpha, activation_beta }: Record<string, unknown>,
  refusal: (name: string) => Refusal,
): CellFunction[][] {
  const names = readNames(opType, D, activations as unknown[] | undefined, refusal('activations'))
  const factors = { alpha: (activation_alpha ?? []) as number[], beta: (activation_beta ?? []) as number[] }
  const used = { alpha: 0, beta: 0 }
  const take = (name: CellFunction['name'], factor: 'alpha' | 'beta') =>
    traitsOf(name)[factor] === undefined ? undefined : factors[factor][used[factor]++]
  const functions = names.map((name) => cellFunction(name, take(name, 'alpha'), take(name, 'beta')))
  for (const factor of ['alpha', 'beta'] as const) {
    const { length } = factors[factor]
    // Some exporters write factors that no function of theirs has.
    if (used[factor] === 0 || length <= used[factor]) continue
    const count = used[factor] === 1 ? 'one of its functions takes' : `${used[factor]} of its functions take`
    refusal(`activation_${factor}`)(`has ${length} values, and only ${count} one`)
  }
  const count = usualFunctions[opType].length
  return Array.from({ length: D }, (_, d) => functions.slice(d * count, (d + 1) * count))
}

function readNames(
  opType: OnnxOpType,
  D: number,
  given: unknown[] | undefined,
  refuse: Refusal,
): CellFunction['name'][] {
  const usual = usualFunctions[opType]
  if (given === undefined || given.length === 0) return Array.from({ length: D }, () => usual).flat()
  if (given.length !== D * usual.length) {
    const one = D === 2 && given.length === usual.length ? ': they are those of one direction only' : ''
    return refuse(`must have ${usual.length} for each of ${D} directions, got ${given.length}${one}`)
  }
  return given.map((name) => {
    const known = typeof name === 'string' ? byName.get(name.toLowerCase()) : undefined
    return known ?? refuse(`has the value ${describe(name)}, which is not an activation of ONNX`)
  })
}
