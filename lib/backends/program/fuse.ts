/** What follows a product and is done with it: factors and terms of each output go into its weights, and one function runs on its sums. */

import type { Step } from '../../graph/plan.ts'
import { count, type GraphTensor } from '../../graph/tensor.ts'
import { entryOf } from '../../intrinsics/properties.ts'
import { type MapCall, mapCalls, plain } from './functions.ts'
import { Op } from './op.ts'

/** Of N outputs: y = f(scale · (the product) + shift). */
export interface Epilogue {
  readonly scale: Float64Array
  readonly shift: Float64Array
  readonly after: MapCall
  /** The value that all of it makes. */
  readonly value: number
}

/** Where nothing may follow. */
export function nothingAfter(op: Op, N: number): Epilogue {
  const [value] = op.step.outputs
  return { scale: new Float64Array(N).fill(1), shift: new Float64Array(N), after: plain, value }
}

type Line = Pick<Epilogue, 'scale' | 'shift'>

/**
 * Follows the one reader of a product's result, as long as it can be done with the product. `axis` is that of its N outputs. Of rounded weights
 * terms alone: a factor would change what is rounded, and could pass the range of a format.
 */
export function epilogueOf(op: Op, axis: number, N: number): Epilogue {
  const { scale, shift } = nothingAfter(op, N)
  let { step } = op
  let [value] = step.outputs
  let isApart = false
  for (;;) {
    const next = op.to.soleReader(value, step)
    if (next?.domain === '' && next.opType === 'Identity') {
      // In a whole run it is what takes frames off, and no weights are changed by what stands behind it.
      isApart = true
      op.to.done(next)
      step = next
      value = next.outputs[0]
      continue
    }
    const reader = next && new Op(op.to, next)
    const found = reader && !isApart ? lineOf(reader, value, axis, N) : undefined
    const line = op.to.weights.isRounded && found?.scale.some((factor) => factor !== 1) ? undefined : found
    const after = (line === undefined && reader && functionOf(reader, value)) || plain
    if (next === undefined || (line === undefined && after === plain)) return { scale, shift, after, value }
    op.to.done(next)
    step = next
    value = next.outputs[0]
    if (line === undefined) return { scale, shift, after, value }
    for (let n = 0; n < N; n++) {
      scale[n] *= line.scale[n]
      shift[n] = shift[n] * line.scale[n] + line.shift[n]
    }
  }
}

function functionOf({ step, call }: Op, value: number): MapCall | undefined {
  if (step.inputs[0] !== value) return undefined
  return isStandard(step) ? entryOf(mapCalls, step.opType)?.(call) : undefined
}

const isStandard = ({ domain, opType }: Step) => domain === '' || (domain === 'com.microsoft' && opType === 'Gelu')

/** An operator that multiplies by, or adds, constants of each output. */
function lineOf(op: Op, value: number, axis: number, N: number): Line | undefined {
  const { step, to } = op
  const { shape } = to.plan.values[value]!
  const made = to.plan.values[step.outputs[0]]
  if (step.domain !== '' || made?.shape.length !== shape.length) return undefined
  if (step.opType === 'BatchNormalization') return axis === 1 && step.inputs[0] === value ? batchNorm(op) : undefined
  const place = step.inputs.indexOf(value)
  const make = entryOf(lines, step.opType)
  const other = op.constant(1 - place)
  if (make === undefined || other === undefined || count(made.shape) !== count(shape)) return undefined
  const values = perOutput(other, shape.length, axis, N)
  if (values === undefined) return undefined
  const [scale, shift] = [new Float64Array(N), new Float64Array(N)]
  for (let n = 0; n < N; n++) [scale[n], shift[n]] = make(values[n], place === 0)
  return scale.every(Number.isFinite) && shift.every(Number.isFinite) ? { scale, shift } : undefined
}

/** Factor and term by the constant; `isFirst`: the product's result is the first operand. */
const lines: Readonly<Record<string, (c: number, isFirst: boolean) => [scale: number, shift: number]>> = {
  Add: (c) => [1, c],
  Sub: (c, isFirst) => (isFirst ? [1, -c] : [-1, c]),
  Mul: (c) => [c, 0],
  Div: (c, isFirst) => (isFirst ? [1 / c, 0] : [Number.NaN, 0]),
}

/** A constant that differs along one axis alone, as N values. */
export function perOutput(tensor: GraphTensor, rank: number, axis: number, N: number): number[] | undefined {
  const { shape } = tensor
  const own = axis - rank + shape.length
  if (shape.length > rank || shape.some((size, i) => size !== 1 && i !== own)) return undefined
  const { data } = tensor
  return Array.from({ length: N }, (_, n) => Number(data[data.length === 1 ? 0 : n]))
}

/** (x − mean) · scale / √(variance + ε) + bias; undefined where one of these is not known before the run. */
export function batchNorm(op: Op): Line | undefined {
  const [gain, bias, mean, variance] = [1, 2, 3, 4].map((place) => op.constant(place)?.data as Float32Array | undefined)
  if (!gain || !bias || !mean || !variance) return undefined
  const epsilon = op.call.real('epsilon', 1e-5)
  const scale = Float64Array.from(gain, (one, n) => one / Math.sqrt(variance[n] + epsilon))
  return { scale, shift: Float64Array.from(bias, (one, n) => one - mean[n] * scale[n]) }
}
