/** The table of activation functions: ONNX's, each with the factors that it takes and their defaults. Its C++ twin is native/spec/activation.h. */

import { hasOwn } from '../intrinsics/captured.ts'

/** ONNX's activation functions, by their names in lower camel case. */
export type ActivationName =
  | 'tanh'
  | 'sigmoid'
  | 'relu'
  | 'affine'
  | 'leakyRelu'
  | 'thresholdedRelu'
  | 'scaledTanh'
  | 'hardSigmoid'
  | 'elu'
  | 'softsign'
  | 'softplus'

/** The factors of a function, with their defaults: those of ONNX's operators. ONNX has none for scaledTanh; 1 makes it tanh. */
export interface ActivationTraits {
  readonly alpha?: number
  readonly beta?: number
}

/** In the order of their numbers in the engine. */
export const activationTraits = {
  tanh: {},
  sigmoid: {},
  relu: {}, // max(x, 0)
  affine: { alpha: 1, beta: 0 }, // alpha · x + beta
  leakyRelu: { alpha: 0.01 }, // x, below 0 alpha · x
  thresholdedRelu: { alpha: 1 }, // x, below alpha 0
  scaledTanh: { alpha: 1, beta: 1 }, // alpha · tanh(beta · x)
  hardSigmoid: { alpha: 0.2, beta: 0.5 }, // alpha · x + beta within 0 and 1
  elu: { alpha: 1 }, // x, below 0 alpha · (e^x − 1)
  softsign: {}, // x / (1 + |x|)
  softplus: {}, // log(1 + e^x)
} as const satisfies Record<ActivationName, ActivationTraits>

/** All of them, in the order of the table. */
export const activationNames = Object.keys(activationTraits) as ActivationName[]

/** What the table says of a function, and nothing that stands on the prototype of all objects. */
export function traitsOf(name: ActivationName): ActivationTraits {
  const row: ActivationTraits = activationTraits[name]
  return {
    alpha: hasOwn(row, 'alpha') ? row.alpha : undefined,
    beta: hasOwn(row, 'beta') ? row.beta : undefined,
  }
}
