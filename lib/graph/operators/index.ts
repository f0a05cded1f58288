/** The registry: every operator by ONNX's name. A new one is a function in the file of its family and a row there. */

import { entryOf } from '../../intrinsics/properties.ts'
import { activations, microsoftGelu } from './activate.ts'
import { arithmetic } from './arithmetic.ts'
import { casts } from './cast.ts'
import { comparisons } from './compare.ts'
import { convolutions } from './convolve.ts'
import { einsums } from './einsum.ts'
import { generators } from './generate.ts'
import { microsoftNorms, norms } from './normalize.ts'
import { numbers } from './number.ts'
import { paddings } from './pad.ts'
import { pieces } from './pieces.ts'
import { poolings } from './pool.ts'
import { microsoftProducts, products } from './product.ts'
import { quantization } from './quantize.ts'
import { reductions } from './reduce.ts'
import type { OperatorRow, Rows } from './row.ts'
import { selections } from './select.ts'
import { shapes } from './shape.ts'
import { softmaxes } from './softmax.ts'

const standard: Rows = {
  ...activations,
  ...arithmetic,
  ...casts,
  ...comparisons,
  ...convolutions,
  ...einsums,
  ...generators,
  ...norms,
  ...numbers,
  ...paddings,
  ...pieces,
  ...poolings,
  ...products,
  ...quantization,
  ...reductions,
  ...selections,
  ...shapes,
  ...softmaxes,
}

/** onnxruntime's own domain: the operators that it had before ONNX, with the same meaning, and those that ONNX has not. */
const microsoft: Rows = { ...quantization, ...microsoftNorms, ...microsoftProducts, Gelu: microsoftGelu }

/** The operator of a name; undefined for one that is not here. */
export function operatorOf(domain: string, name: string): OperatorRow | undefined {
  const rows = domain === '' ? standard : domain === 'com.microsoft' ? microsoft : undefined
  return rows && entryOf(rows, name)
}
