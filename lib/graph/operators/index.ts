/** The registry: every operator by ONNX's name. A new one is a function in the file of its family and a row there. */

import { arithmetic } from './arithmetic.ts'
import { casts } from './cast.ts'
import { comparisons } from './compare.ts'
import { generators } from './generate.ts'
import { pieces } from './pieces.ts'
import { products } from './product.ts'
import { quantization } from './quantize.ts'
import { reductions } from './reduce.ts'
import type { OperatorRow, Rows } from './row.ts'
import { shapes } from './shape.ts'

const standard: Rows = {
  ...arithmetic,
  ...casts,
  ...comparisons,
  ...generators,
  ...pieces,
  ...products,
  ...quantization,
  ...reductions,
  ...shapes,
}

/** onnxruntime's own domain: the operators that it had before ONNX, with the same meaning. */
const microsoft: Rows = quantization

/** The operator of a name; undefined for one that is not here. */
export function operatorOf(domain: string, name: string): OperatorRow | undefined {
  const rows = domain === '' ? standard : domain === 'com.microsoft' ? microsoft : undefined
  return rows !== undefined && Object.hasOwn(rows, name) ? rows[name] : undefined
}
