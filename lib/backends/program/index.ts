/** The registry: how each operator runs natively, by ONNX's name. A new one is a function in the file of its family and a row there. */

import { entryOf } from '../../intrinsics/properties.ts'
import { convolutions } from './convolutions.ts'
import { einsums } from './einsums.ts'
import { elementwise } from './elementwise.ts'
import type { LowerStep } from './lowering.ts'
import { movement } from './movement.ts'
import { microsoftNorms, norms } from './norms.ts'
import { Op } from './op.ts'
import { pools } from './pools.ts'
import { microsoftProducts, products } from './products.ts'
import { quantization } from './quantization.ts'
import { microsoftRecurrents, recurrents } from './recurrent.ts'
import { reductions } from './reductions.ts'
import type { Rows } from './row.ts'
import { transposedConvolutions } from './transposed-convolutions.ts'

const standard: Rows = {
  ...convolutions,
  ...einsums,
  ...elementwise,
  ...movement,
  ...norms,
  ...pools,
  ...products,
  ...quantization,
  ...recurrents,
  ...reductions,
  ...transposedConvolutions,
}

const microsoft: Rows = {
  ...microsoftNorms,
  ...microsoftProducts,
  ...microsoftRecurrents,
  ...quantization,
  Gelu: standard.Gelu,
}

export const lowerStep: LowerStep = (to, step) => {
  const rows = step.domain === '' ? standard : step.domain === 'com.microsoft' ? microsoft : undefined
  const row = rows && entryOf(rows, step.opType)
  return row?.(new Op(to, step))
}
