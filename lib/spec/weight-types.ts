/** In what weights are kept, and what a product's inputs are rounded to before it. Their order is their numbers in the addon. */

export const weightTypes = ['f32', 'f16', 'bf16', 'int8'] as const
export const activationTypes = ['f32', 'int8'] as const

export type WeightType = (typeof weightTypes)[number]
export type ActivationType = (typeof activationTypes)[number]

/** `int8` activations only with `int8` weights. */
export interface Precision {
  readonly weights: WeightType
  readonly activations: ActivationType
}

export const fullPrecision: Precision = { weights: 'f32', activations: 'f32' }
