/** The formats in which weights are kept, and those of what is multiplied by them; in the order of their numbers in the engine. */

export const weightTypes = ['f32', 'f16', 'bf16', 'int8'] as const
export const activationTypes = ['f32', 'int8'] as const

export type WeightType = (typeof weightTypes)[number]
export type ActivationType = (typeof activationTypes)[number]

/** How weights are kept, and what meets them in a product. */
export interface Precision {
  readonly weights: WeightType
  /** 'int8' only beside weights of int8. */
  readonly activations: ActivationType
}

/** Nothing is rounded. */
export const fullPrecision: Precision = { weights: 'f32', activations: 'f32' }
