/** The attributes of ONNX's recurrent nodes: which there are, which values this package can compute, and the words that refuse. */

import { describe, fail, named } from '../../errors.ts'
import type { Direction } from '../../spec/spec.ts'

/** The recurrent operators of ONNX. */
export type OnnxOpType = 'RNN' | 'GRU' | 'LSTM'

/** Whether a value is the name of one of them. */
export function isOpType(value: unknown): value is OnnxOpType {
  return value === 'RNN' || value === 'GRU' || value === 'LSTM'
}

/** What a node's attributes say. */
export interface NodeAttributes {
  readonly direction: Direction
  /** Undefined where the node leaves it to the weights. */
  readonly hiddenSize?: number
  /** linear_before_reset: the reset gate acts on the product. */
  readonly resetAfter: boolean
  readonly relu: boolean
  /** layout = 1. */
  readonly batchFirst: boolean
}

const directions: readonly unknown[] = ['forward', 'reverse', 'bidirectional']
const defaultActivations = { RNN: ['Tanh'], GRU: ['Sigmoid', 'Tanh'], LSTM: ['Sigmoid', 'Tanh', 'Tanh'] } as const

/** Attributes that are integers: the largest value, and the operator they belong to where it is only one. */
const integers: Readonly<Record<string, { readonly most: number; readonly only?: OnnxOpType }>> = {
  hidden_size: { most: Number.MAX_SAFE_INTEGER },
  layout: { most: 1 },
  linear_before_reset: { most: 1, only: 'GRU' },
  input_forget: { most: 1, only: 'LSTM' },
  output_sequence: { most: 1 }, // of the oldest operator set: whether there is an output Y
}

/** Reads attributes, each once; one that is unknown or asks for what is not supported is refused by its name. */
export function readNodeAttributes(opType: OnnxOpType, attributes: Readonly<Record<string, unknown>>): NodeAttributes {
  const values: Record<string, unknown> = Object.create(null)
  for (const name of Object.keys(attributes)) {
    const value = attributes[name]
    if (value === undefined) continue
    // A name out of a file may be of any length.
    const refuse: Refusal = (why) => fail('ERR_RNN_MODEL_FILE', `The attribute ${named(name)} of ${opType} ${why}`)
    values[name] = readValue(name, value, opType, refuse)
  }
  const direction = (values.direction ?? 'forward') as Direction
  const refuse: Refusal = (why) => fail('ERR_RNN_MODEL_FILE', `The attribute activations of ${opType} ${why}`)
  return {
    direction,
    hiddenSize: values.hidden_size as number | undefined,
    resetAfter: values.linear_before_reset === 1,
    relu: isRelu(opType, values.activations, direction === 'bidirectional' ? 2 : 1, refuse),
    batchFirst: values.layout === 1,
  }
}

type Refusal = (why: string) => never

function readValue(name: string, value: unknown, opType: OnnxOpType, refuse: Refusal): unknown {
  if (name === 'activations') return value
  // Factors of other activations; Sigmoid, Tanh and Relu have none and ignore them.
  if (name === 'activation_alpha' || name === 'activation_beta') return value
  if (name === 'clip') return refuse('is not supported: sums are never clipped')
  if (name === 'direction') {
    if (directions.includes(value)) return value
    return refuse(`must be 'forward', 'reverse' or 'bidirectional', got ${describe(value)}`)
  }
  const rule = Object.hasOwn(integers, name) ? integers[name] : undefined
  if (rule === undefined) return refuse('is not known')
  if (rule.only !== undefined && rule.only !== opType) return refuse(`belongs to ${rule.only} alone`)
  const number = typeof value === 'bigint' ? Number(value) : value
  const least = name === 'hidden_size' ? 1 : 0
  if (!Number.isSafeInteger(number) || (number as number) < least || (number as number) > rule.most) {
    return refuse(`must be an integer ${rule.most === 1 ? 'that is 0 or 1' : 'of at least 1'}, got ${describe(value)}`)
  }
  if (name === 'input_forget' && number === 1)
    return refuse('is not supported: input and forget gate are never coupled')
  return number
}

/** Whether `activations` ask for Relu; refuses what is neither that nor the default of the operator. */
function isRelu(opType: OnnxOpType, value: unknown, D: number, refuse: Refusal): boolean {
  if (value === undefined) return false
  if (!Array.isArray(value)) return refuse(`must be an array of names, got ${describe(value)}`)
  const defaults = defaultActivations[opType]
  const names: unknown[] = [...value]
  if (names.length === 0) return false
  if (names.length !== D * defaults.length) {
    return refuse(`must have ${defaults.length} for each of ${D} directions, got ${names.length}`)
  }
  const every = (wanted: readonly string[]) =>
    names.every((name, i) => typeof name === 'string' && name.toLowerCase() === wanted[i % wanted.length].toLowerCase())
  if (every(defaults)) return false
  if (opType === 'RNN' && every(['Relu'])) return true
  const shown = names.map((name) => describe(name)).join(', ')
  const supported = `only ${defaults.join(', ')}${opType === 'RNN' ? ' or Relu' : ''} in each direction`
  return refuse(`with the value [${shown}] is not supported, ${supported}`)
}
