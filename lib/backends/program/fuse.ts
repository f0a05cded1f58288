/** What follows a product and is done with it: factors and terms of each output go into its weights, and one function runs on its sums. */

import { count, type GraphTensor } from '../../graph/tensor.ts'
import { entryOf } from '../../intrinsics/properties.ts'
import { type MapCall, mapCalls, plain } from './functions.ts'
import { Op } from './op.ts'
import { isStandard } from './uses.ts'

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

export type Line = Pick<Epilogue, 'scale' | 'shift'>

/** The same after a product that adds biases itself. */
export function withBiases(epilogue: Epilogue, bias?: readonly number[], beta = 1): Epilogue {
  const { scale, shift } = epilogue
  return { ...epilogue, shift: shift.map((one, n) => one + (bias ? beta * bias[n] * scale[n] : 0)) }
}

/**
 * Follows the one reader of a product's result, as long as it can be done with the product. `axis` is that of its N outputs. Of rounded weights
 * terms alone: a factor would change what is rounded, and could pass the range of a format.
 */
export function epilogueOf(op: Op, axis: number, N: number): Epilogue {
  let { scale, shift, after, value } = nothingAfter(op, N)
  let { step } = op
  let isApart = false
  while (after === plain) {
    const next = op.to.uses.soleReader(value, step)
    if (next === undefined) break
    // In a whole run it is what takes frames off, and no weights are changed by what stands behind it.
    const isIdentity = isStandard(next, 'Identity')
    isApart ||= isIdentity
    const reader = new Op(op.to, next)
    const found = isApart ? undefined : lineOf(reader, value, axis, N)
    const line = op.to.weights.isRounded && found?.scale.some((factor) => factor !== 1) ? undefined : found
    if (line) {
      shift = shift.map((one, n) => one * line.scale[n] + line.shift[n])
      scale = scale.map((one, n) => one * line.scale[n])
    } else after = functionOf(reader, value) ?? plain
    if (!line && !isIdentity && after === plain) break
    op.to.done.add(next)
    step = next
    value = next.outputs[0]
  }
  return { scale, shift, after, value }
}

function functionOf({ step, call }: Op, value: number): MapCall | undefined {
  const { domain, opType, inputs } = step
  const isKnown = domain === '' || (domain === 'com.microsoft' && opType === 'Gelu')
  return isKnown && inputs[0] === value ? entryOf(mapCalls, opType)?.(call) : undefined
}

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
