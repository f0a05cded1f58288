/** Scales of constants that were integers: noted where DequantizeLinear makes them, and kept through operators that only move values. */

import { zeros } from '../intrinsics/captured.ts'
import { unlimited } from './budget.ts'
import { Call, madeAtOnce } from './call.ts'
import type { OperatorRow } from './operators/row.ts'
import { count, type GraphTensor, lengthOf, type Scales } from './tensor.ts'

/** Operators that move values and change none; all but Concat move those of their first input. */
const moves: readonly string[] =
  'Identity Transpose Reshape Unsqueeze Squeeze Slice Concat Split Gather Expand Flatten Cast'.split(' ')

/** The outputs of a call whose inputs are known, with the scales that they have by it. */
export function withScales(
  domain: string,
  opType: string,
  row: OperatorRow,
  call: Call,
  made: readonly GraphTensor[],
): readonly GraphTensor[] {
  if (opType === 'DequantizeLinear') return made.map((tensor) => withOne(tensor, scalesOfCall(call, tensor)))
  if (domain !== '' || !moves.includes(opType)) return made
  const first = opType === 'Concat' ? call.inputs : call.inputs.slice(0, 1)
  if (!first.every((input) => input?.scales)) return made
  const known = first as GraphTensor[]
  const common = known[0].scales!.values
  const isOne = known.every(({ scales }) => scales!.values.length === 1 && scales!.values[0] === common[0])
  if (isOne) return made.map((tensor) => withOne(tensor, { axis: 0, values: common }))
  const inputs = call.inputs.map((input, i) => (input && i < known.length ? spread(input, call) : input))
  // What moves them took as much of the budget for the values themselves.
  const all = madeAtOnce(row.run, new Call(call.node, inputs, call.attributes, call.opset, unlimited))
  return made.map((tensor, i) => withOne(tensor, alongOneAxis(all[i])))
}

function withOne(tensor: GraphTensor, scales: Scales | undefined): GraphTensor {
  // Identity gives what it was given, and that is one constant.
  return scales && tensor.type === 'float32' && !tensor.scales ? { ...tensor, scales } : tensor
}

/** Of the whole tensor, or of one axis. */
function scalesOfCall(call: Call, made: GraphTensor): Scales | undefined {
  const scale = call.input(1)
  if (scale.type !== 'float32') return undefined
  const values = scale.data as Float32Array
  if (values.length === 1) return { axis: 0, values }
  if (scale.shape.length !== 1) return undefined
  return { axis: call.axisOf(1, made.shape.length), values }
}

/** What was spread last: exporters cut one constant into its gates, one after the other. */
let last: { readonly tensor: GraphTensor; readonly made: GraphTensor } | undefined

/** A tensor of the same shape that holds the scale of each value. */
function spread(tensor: GraphTensor, call: Call): GraphTensor {
  if (last?.tensor === tensor) return last.made
  const { shape, scales } = tensor
  call.spend(lengthOf(tensor))
  const { axis, values } = scales!
  const data = new Float32Array(tensor.data.length)
  const step = values.length === 1 ? data.length : count(shape.slice(axis + 1))
  for (let from = 0, j = 0; from < data.length; from += step, j++) {
    data.fill(values[j % values.length], from, from + step)
  }
  const made: GraphTensor = { type: 'float32', shape, data }
  last = { tensor, made }
  return made
}

/** Scales that differ along one axis at most. */
function alongOneAxis({ shape, data }: GraphTensor): Scales | undefined {
  for (let axis = 0; axis < shape.length; axis++) {
    const step = count(shape.slice(axis + 1))
    const values = Float32Array.from({ length: shape[axis] }, (_, j) => data[j * step] as number)
    if (data.every((scale: number | bigint, i: number) => scale === values[Math.floor(i / step) % shape[axis]])) {
      return { axis, values }
    }
  }
  return undefined
}

/** A scale for each of so many rows, of `columns` values, or, where they lie turned, of values that are `rows` apart. */
export function scalesOfRows({ shape, scales }: GraphTensor, rows: number, columns: number, isTurned = false) {
  if (!scales) return undefined
  const { axis, values } = scales
  const step = count(shape.slice(axis + 1))
  const own = zeros(rows)
  for (let row = 0; row < rows; row++) {
    const place = isTurned ? row : row * columns
    own[row] = values[values.length === 1 ? 0 : Math.floor(place / step) % shape[axis]]
  }
  return own
}

/** The scales of outputs [first, first + rows) of a product, if there is one for each output. */
export function scalesOfOutputs({ scales, shape }: GraphTensor, rows: number, first = 0): Float32Array | undefined {
  if (!scales) return undefined
  const { axis, values } = scales
  if (values.length !== 1 && (values.length !== shape[axis] || values.length < first + rows)) return undefined
  const own = zeros(rows)
  for (let row = 0; row < rows; row++) own[row] = values[values.length === 1 ? 0 : first + row]
  return own
}
