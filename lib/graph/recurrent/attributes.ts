/** The attributes of ONNX's recurrent nodes: which there are, which values this package can compute, and the words that refuse. */

import { describe, fail, named } from '../../errors.ts'
import { isArray } from '../../intrinsics/captured.ts'
import { entryOf } from '../../intrinsics/properties.ts'
import { cellFunction } from '../../options/functions.ts'
import { activationNames, traitsOf } from '../../spec/activations.ts'
import { type CellFunction, type CellFunctions, usualFunctions } from '../../spec/cell-functions.ts'
import { type Direction, directionsOf } from '../../spec/spec.ts'

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

/** Attributes that are 0 or 1, and the operator they belong to where it is only one. */
const flags: Readonly<Record<string, OnnxOpType | 'any'>> = {
  layout: 'any',
  linear_before_reset: 'GRU',
  input_forget: 'LSTM',
  output_sequence: 'any', // of the oldest operator set: whether there is an output Y
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
      directions: readFunctions(opType, directionsOf({ direction }), values, refusal),
      clip: (values.clip as number | undefined) ?? Infinity,
      inputForget: values.input_forget === 1,
    },
    batchFirst: values.layout === 1,
  }
}

type Refusal = (why: string) => never

function readValue(name: string, value: unknown, opType: OnnxOpType, refuse: Refusal): unknown {
  const wrong = (wanted: string) => refuse(`must be ${wanted}, got ${describe(value)}`)
  const number = numberOf(value)
  if (name === 'activations') return isArray(value) ? [...value] : wrong('an array of names')
  if (name === 'activation_alpha' || name === 'activation_beta') {
    return isArray(value) || ArrayBuffer.isView(value)
      ? floats(value as ArrayLike<unknown>, refuse)
      : wrong('an array of numbers')
  }
  if (name === 'clip') {
    if (typeof number !== 'number') return wrong('a number')
    const rounded = Math.fround(number)
    return rounded > 0 ? rounded : wrong('above 0')
  }
  if (name === 'direction') {
    return directions.includes(value) ? value : wrong("'forward', 'reverse' or 'bidirectional'")
  }
  if (name === 'hidden_size') {
    return Number.isSafeInteger(number) && (number as number) > 0 ? number : wrong('an integer of at least 1')
  }
  const only = entryOf(flags, name)
  if (only === undefined) return refuse('is not known')
  if (only !== 'any' && only !== opType) return refuse(`belongs to ${only} alone`)
  return number === 0 || number === 1 ? number : wrong('an integer that is 0 or 1')
}

/** What files have as a bigint is a number in records. */
const numberOf = (value: unknown) => (typeof value === 'bigint' ? Number(value) : value)

function floats(values: ArrayLike<unknown>, refuse: Refusal): number[] {
  return Array.from(values, (one) => {
    const number = numberOf(one)
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
