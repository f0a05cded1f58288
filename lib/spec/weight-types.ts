/** The formats in which weights are kept, and those of what is multiplied by them; in the order of their numbers in the engine. */

/** How weights are kept: as they were given, rounded to binary16 or bfloat16, or as integers of ±127 with a scale a row. */
export type WeightType = 'f32' | 'f16' | 'bf16' | 'int8'
/** What weights are multiplied by: values as they are, or beside weights of int8 rounded alike. */
export type ActivationType = 'f32' | 'int8'

export const weightTypes = ['f32', 'f16', 'bf16', 'int8'] as const satisfies readonly WeightType[]
export const activationTypes = ['f32', 'int8'] as const satisfies readonly ActivationType[]

/** How weights are kept, and what meets them in a product. */
export interface Precision {
  readonly weights: WeightType
  /** 'int8' only beside weights of int8. */
  readonly activations: ActivationType
}

/** Nothing is rounded. */
export const fullPrecision: Precision = { weights: 'f32', activations: 'f32' }
