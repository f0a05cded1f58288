/** The operators beside recurrent networks, and the sizes of what each takes and gives; the one table that everything in lib/ asks. */

/** In the order of `native/spec/operator_kind.h`. */
export const operatorKinds = ['linear'] as const

export type OperatorKind = (typeof operatorKinds)[number]

/** `sizes` are what the operator is made of; all lengths are in values. */
export interface OperatorTraits {
  readonly inputLength: (sizes: readonly number[], rows: number) => number
  readonly outputLength: (sizes: readonly number[], rows: number) => number
  /** Of its weights, its biases, and the scales of the weights' rows. */
  readonly lengths: (sizes: readonly number[]) => readonly number[]
}

export const operatorTraits: Readonly<Record<OperatorKind, OperatorTraits>> = {
  /** Sizes in, out; made of weight (out, in) and bias (out) or none. */
  linear: {
    inputLength: ([inFeatures], rows) => rows * inFeatures,
    outputLength: ([, outFeatures], rows) => rows * outFeatures,
    lengths: ([inFeatures, outFeatures]) => [inFeatures * outFeatures, outFeatures, outFeatures],
  },
}
