/** What a Keras or tfjs layer's config says of its computation; it alone knows the names of both, their defaults by version, and what cannot be had. */

import { describe, failOption, named } from '../../errors.ts'
import { boolean, type Check, oneOf, plainObject, size } from '../../options/checks.ts'
import { activation } from '../../options/functions.ts'
import type { Activation } from '../../options/options.ts'
import { nearest } from '../../options/suggest.ts'
import type { CellFunction } from '../../spec/cell-functions.ts'
import { readActivation, snakeCase } from './activations.ts'

/** The layers of Keras that can be read. */
export type KerasType = 'SimpleRNN' | 'GRU' | 'LSTM' | 'CuDNNGRU' | 'CuDNNLSTM'

/** An activation as a config has it: Keras's name, null for none, Keras's own object, or this package's, with factors. */
export type KerasActivation = string | null | Activation | { class_name: string; config: unknown }

/**
 * What `layer.get_config()` gives in Keras, or `layer.getConfig()` in tfjs; names in snake_case or camelCase. All of it may be left out, and
 * a whole config may stand here: what does not bear on the numbers (names, initializers, dropout, `return_sequences` …) is passed over. The
 * config of a `Bidirectional` may stand here too.
 */
export interface KerasConfig {
  /** H. Default: read off the weights. */
  units?: number
  /** `'tanh'` by default. */
  activation?: KerasActivation
  /** `'sigmoid'` by default, `'hard_sigmoid'` in Keras before 2.3 and in tfjs. */
  recurrent_activation?: KerasActivation
  /** Where a GRU's reset gate acts. Default: told by the bias; without one true, false in Keras before 2.3 and in tfjs. */
  reset_after?: boolean
  /** Default: told by the number of weights. */
  use_bias?: boolean
  /** The layer runs from the last step to the first. */
  go_backwards?: boolean
  /** As model.json and .h5 files have it beside the layers. It decides on defaults and on what `'hard_sigmoid'` is: 1/6 from Keras 3 on, else 0.2. */
  keras_version?: string
  /** Other names, and these in camelCase. */
  [name: string]: unknown
}

/** A config as it was read; undefined is what it leaves to the weights. */
export interface KerasOptions {
  readonly units?: number
  readonly useBias?: boolean
  readonly resetAfter?: boolean
  /** Where neither the config nor a bias tells. */
  readonly resetAfterByVersion: boolean
  readonly goBackwards: boolean
  /** Undefined where the config says nothing of directions. */
  readonly bidirectional?: boolean
  readonly candidate: CellFunction
  readonly gate: CellFunction
}

/** Names that bear on the computation, as Keras 2 and 3 spell them, with what Keras 1 and tfjs call them. */
const aliases: Readonly<Record<string, string>> = {
  __proto__: null as never,
  output_dim: 'units',
  inner_activation: 'recurrent_activation',
}

const version: Check<string> = (value, name) =>
  typeof value === 'string' ? value : failOption(`${name} must be a text, got ${describe(value)}`)

const checks = {
  units: size,
  use_bias: boolean,
  reset_after: boolean,
  go_backwards: boolean,
  keras_version: version,
} as const
const known = [...Object.keys(checks), 'activation', 'recurrent_activation']

/** Names that do not bear on what inference computes. */
const idle = new Set(
  `name trainable dtype dtype_policy autocast batch_input_shape batch_shape input_shape input_dim input_length return_sequences return_state
  stateful unroll time_major zero_output_for_mask dropout recurrent_dropout seed implementation unit_forget_bias ragged sparse use_cudnn
  consume_less dropout_w dropout_u init inner_init forget_bias_init initial_weights masking build_config registered_name module merge_mode
  backend`.split(/\s+/),
)
const isIdle = (name: string) => idle.has(name) || /_(initializer|regularizer|constraint)$/.test(name)

/** Reads a config that fits a layer of this type; `bidirectional` is what the number of weights says. */
export function readConfig(type: KerasType, given: unknown): KerasOptions {
  const config = ofClass(plainObject(given ?? {}, 'config'), type, ['Bidirectional', type])
  const outer = readWrapper(config)
  if (!('layer' in config)) return readPlain(type, config)
  const readLayer = (layer: unknown, name: string) =>
    readPlain(type, { ...outer, ...ofClass(plainObject(layer, name), type, [type]) })
  const forward = readLayer(config.layer, 'config.layer')
  const twin = config.backward_layer ?? config.backwardLayer
  if (twin !== undefined && twin !== null) {
    const back = readLayer(twin, 'config.backward_layer')
    const same = JSON.stringify({ ...back, goBackwards: false }) === JSON.stringify({ ...forward, goBackwards: false })
    if (!same)
      failOption('config.backward_layer must have the options of config.layer: one layer has them for both directions')
  }
  return { ...forward, bidirectional: true }
}

/** The config inside Keras's `{ class_name, config }`. */
function ofClass(value: Record<string, unknown>, type: KerasType, allowed: readonly string[]): Record<string, unknown> {
  const name = value.class_name ?? value.className
  if (name === undefined) return value
  if (!allowed.includes(name as string)) {
    failOption(`the config must be that of a layer of type '${type}', got class_name ${describe(name)}`)
  }
  return plainObject(value.config, 'config.config')
}

/** What a Bidirectional says beside its layers. */
function readWrapper(config: Record<string, unknown>): Record<string, unknown> {
  const outer: Record<string, unknown> = {}
  for (const [given, value] of Object.entries(config)) {
    const name = snakeCase(given)
    if (name === 'keras_version') outer.keras_version = value
    if (name === 'merge_mode' && value !== 'concat' && value !== null && value !== undefined) {
      const why = 'both directions stand side by side in output, and what merges them is yours to write'
      failOption(`config.${named(given)} must be 'concat' or null, got ${describe(value)}: ${why}`)
    }
  }
  return outer
}

function readPlain(type: KerasType, config: Record<string, unknown>): KerasOptions {
  const read: Record<string, unknown> = Object.create(null)
  for (const given of Object.keys(config)) {
    const snake = snakeCase(given)
    const name = aliases[snake] ?? snake
    if (isIdle(name)) continue
    if (!known.includes(name)) unknownName(given)
    if (name in read) failOption(`config.${named(given)} stands twice, in two spellings`)
    const value = config[given]
    if (value === undefined) continue
    const check = (checks as Record<string, Check<unknown>>)[name]
    read[name] = check === undefined ? value : check(value, `config.${given}`)
  }
  const { units, use_bias, reset_after, go_backwards, keras_version } = read as Partial<Record<string, never>>
  const old = hasOldDefaults(keras_version)
  const slope = isKeras3(keras_version, config) ? 1 / 6 : 0.2
  const isCudnn = type.startsWith('CuDNN')
  const functionOf = (option: string, usual: string): CellFunction => {
    const name = `config.${option}`
    const value = option in read ? read[option] : usual
    if (isCudnn && value !== usual) {
      failOption(`${name} of a ${type} must be '${usual}', got ${describe(value)}`)
    }
    return activation(readActivation(value, name, slope), name)
  }
  return {
    units,
    useBias: use_bias,
    resetAfter: reset_after,
    resetAfterByVersion: !old,
    goBackwards: go_backwards ?? false,
    candidate: functionOf('activation', 'tanh'),
    gate: functionOf('recurrent_activation', old && !isCudnn ? 'hard_sigmoid' : 'sigmoid'),
  }
}

/** Keras before 2.3 and tfjs: hard sigmoid in gates, and the reset before the product. */
function hasOldDefaults(version: string | undefined): boolean {
  return version !== undefined && /^(0\.|1\.|2\.[012](\D|$)|tfjs)/.test(version)
}

/** By its version, or by what only configs of Keras 3 have. */
function isKeras3(version: string | undefined, config: Record<string, unknown>): boolean {
  if (version !== undefined) return /^([3-9]|\d\d)/.test(version)
  const { dtype } = config as { dtype?: { class_name?: unknown } }
  return dtype?.class_name === 'DTypePolicy' || ('seed' in config && !('implementation' in config))
}

function unknownName(name: string): never {
  const near = nearest(snakeCase(name), known)
  const hint = near ? `did you mean '${near}'?` : 'leave it out where it does not bear on what the layer computes'
  failOption(`config.${named(name)} is not known; ${hint}`)
}

/** The check of `type`. */
export const kerasType: Check<KerasType> = (value, name) => {
  if (value === 'Bidirectional') {
    failOption(`${name} must be that of the layer inside the Bidirectional, with its twice as many weights`)
  }
  return oneOf<KerasType>('SimpleRNN', 'GRU', 'LSTM', 'CuDNNGRU', 'CuDNNLSTM')(value, name)
}
