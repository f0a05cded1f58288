/** Keras's activations in ONNX's terms; it alone knows their names, their factors, and which have no counterpart. */

import { describe, failOption } from '../../errors.ts'
import { isObject } from '../../intrinsics/properties.ts'
import type { Activation } from '../../options/options.ts'

/** By Keras's names in snake_case. */
const plain: Readonly<Record<string, Activation>> = {
  __proto__: null as never,
  tanh: 'tanh',
  sigmoid: 'sigmoid',
  relu: 'relu',
  linear: { name: 'affine', alpha: 1, beta: 0 },
  elu: { name: 'elu', alpha: 1 },
  softsign: 'softsign',
  softplus: 'softplus',
  leaky_relu: { name: 'leakyRelu', alpha: 0.2 },
}

/** Layers that stand as activations, with the name of their factor. */
const layers: Readonly<Record<string, (config: Record<string, unknown>) => unknown>> = {
  __proto__: null as never,
  LeakyReLU: ({ negative_slope, alpha }) => ({ name: 'leakyRelu', alpha: negative_slope ?? alpha ?? 0.3 }),
  ELU: ({ alpha }) => ({ name: 'elu', alpha: alpha ?? 1 }),
}

/**
 * An activation of a config in this package's terms; its factors are for the next check.
 *
 * @param slope of the hard sigmoid, which is another in Keras 3
 */
export function readActivation(value: unknown, name: string, slope: number): unknown {
  if (value === null) return plain.linear
  if (typeof value === 'string') {
    const snake = snakeCase(value)
    if (snake === 'hard_sigmoid') return { name: 'hardSigmoid', alpha: slope, beta: 0.5 }
    return plain[snake] ?? unsupported(value, name)
  }
  if (typeof value !== 'object') return unsupported(value, name)
  const { class_name: layer, config } = value as { class_name?: unknown; config?: unknown }
  if (layer === undefined) return value
  if (layer === 'function') return readActivation(typeof config === 'string' ? config : undefined, name, slope)
  const read = typeof layer === 'string' ? layers[layer] : undefined
  if (read === undefined || !isObject(config)) return unsupported(layer, name)
  return read(config as Record<string, unknown>)
}

function unsupported(value: unknown, name: string): never {
  const known = [...Object.keys(plain), 'hard_sigmoid'].map((known) => `'${known}'`).join(', ')
  failOption(`${name} must be one of ${known} or null, got ${describe(value)}`)
}

/** `recurrentActivation` → `recurrent_activation`; Keras 1 has capitals of its own: `dropout_W`. */
export function snakeCase(name: string): string {
  return name.replace(/(?<=[a-z\d])[A-Z]/g, (letter) => `_${letter}`).toLowerCase()
}
