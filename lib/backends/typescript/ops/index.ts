/** The list of operators. */
import type { OperatorKind } from '../../../spec/operator-traits.ts'
import type { Precision } from '../../../spec/weight-types.ts'
import type { OperatorCore } from '../../interface.ts'
import { linear } from './linear.ts'

type Make = (
  sizes: readonly number[],
  weights: readonly (Float32Array | undefined)[],
  precision: Precision,
) => OperatorCore

export const operators: Readonly<Record<OperatorKind, Make>> = { linear }
