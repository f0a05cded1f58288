/** Norms: values less their mean, by their deviation, over a batch's channel, an instance, a layer, or a group. */

import { list } from '../../errors.ts'
import { sameShape } from '../../tensor/shape.ts'
import type { Call } from '../call.ts'
import { inStretches, Pace, type Pass, rowByRow, stretch } from '../pace.ts'
import { rounded } from '../rounding.ts'
import { expanded } from '../strides.ts'
import { count, type ElementType, type GraphData, type GraphTensor, lengthOf, typeOfCode } from '../tensor.ts'
import { type Rows, rowOf } from './row.ts'

/** Mean and 1 / √(variance + ε) of values that lie together; the variance after the mean, so that nothing cancels. */
function* momentsOf(x: Float32Array, epsilon: number): Pass<Moments> {
  const { length } = x
  let [sum, squares] = [0, 0]
  yield* inStretches(length, (from, to) => {
    sum = sumOf(x, from, to, sum)
  })
  const mean = sum / length
  yield* inStretches(length, (from, to) => {
    squares = squaresOf(x, from, to, mean, squares)
  })
  return [mean, 1 / Math.sqrt(squares / length + epsilon)]
}

/** The same at once. */
function shortMoments(x: Float32Array, start: number, length: number, epsilon: number): Moments {
  const mean = sumOf(x, start, start + length, 0) / length
  return [mean, 1 / Math.sqrt(squaresOf(x, start, start + length, mean, 0) / length + epsilon)]
}

type Moments = readonly [mean: number, inverse: number]

function sumOf(x: Float32Array, from: number, to: number, before: number): number {
  let sum = before
  for (let i = from; i < to; i++) sum += x[i]
  return sum
}

function squaresOf(x: Float32Array, from: number, to: number, mean: number, before: number): number {
  let squares = before
  for (let i = from; i < to; i++) squares += (x[i] - mean) * (x[i] - mean)
  return squares
}

function normalize(
  x: Float32Array,
  made: GraphData,
  from: number,
  to: number,
  mean: number,
  inverse: number,
  scale: number,
  bias: number,
): void {
  for (let i = from; i < to; i++) made[i] = (x[i] - mean) * inverse * scale + bias
}

/** Rows of `parts` · `length` values, and what is done with a part of one, or with some of its values, once its moments are known. */
function* rowsByMoments(
  x: Float32Array,
  rows: number,
  parts: number,
  length: number,
  epsilon: number,
  body: (row: number, part: number, from: number, to: number, moments: Moments) => void,
): Pass<void> {
  const wide = parts * length
  const isShort = wide <= stretch
  const pace = new Pace()
  for (let row = 0, start = 0; row < rows; row++, start += wide) {
    const moments = isShort
      ? shortMoments(x, start, wide, epsilon)
      : yield* momentsOf(x.subarray(start, start + wide), epsilon)
    if (isShort) for (let part = 0; part < parts; part++) body(row, part, 0, length, moments)
    else yield* rowByRow(parts, length, (part, from, to) => body(row, part, from, to, moments))
    if (pace.isOver(3 * wide + 8)) yield
  }
}

/** A value for each channel. */
function perChannel(call: Call, place: number, channels: number): Float32Array {
  const tensor = call.floats(place)
  if (!sameShape(tensor.shape, [channels])) {
    call.fail(`input ${place} must have the shape (${channels}), got ${list(tensor.shape)}`)
  }
  return tensor.data as Float32Array
}

/** N, C, and the values of one channel of one row. */
function channelsOf(call: Call, x: GraphTensor): [N: number, C: number, inner: number] {
  if (x.shape.length < 2) call.fail(`channels are the second axis, got ${list(x.shape)}`)
  return [x.shape[0], x.shape[1], count(x.shape.slice(2))]
}

function* batchNorm(call: Call): Pass<GraphTensor> {
  const x = call.floats(0)
  if (call.flag('training_mode') || call.node.outputs.some((name, i) => i > 0 && name !== '')) {
    call.unsupported('training_mode is not supported')
  }
  if (!call.flag('spatial', true)) call.unsupported('spatial 0 is not supported')
  const [N, C, inner] = channelsOf(call, x)
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((place) => perChannel(call, place, C))
  const epsilon = call.real('epsilon', 1e-5)
  const made = call.allocate(x.type, x.shape)
  if (call.isDry) return made
  yield* rowByRow(inner === 0 ? 0 : N * C, inner, (row, from, to) => {
    const c = row % C
    const factor = scale[c] / Math.sqrt(variance[c] + epsilon)
    for (let i = row * inner + from; i < row * inner + to; i++)
      made.data[i] = ((x.data[i] as number) - mean[c]) * factor + bias[c]
  })
  return yield* rounded(made)
}

/** Over groups of neighbouring channels of one row; an instance norm has as many groups as channels. */
function* groupNorm(call: Call, isInstance: boolean): Pass<GraphTensor> {
  const x = call.floats(0)
  const asked = isInstance ? undefined : (call.integer('num_groups', undefined) ?? call.fail('num_groups is missing'))
  const [, C, inner] = channelsOf(call, x)
  const groups = asked ?? C
  if (!(groups >= 1 && C % groups === 0)) call.fail(`${groups} groups of ${C} channels`)
  const wide = C / groups
  const isPerGroup = !isInstance && call.opset < 21
  const [scale, bias] = [1, 2].map((place) => perChannel(call, place, isPerGroup ? groups : C))
  const epsilon = call.real('epsilon', 1e-5)
  const made = call.allocate(x.type, x.shape)
  const [values, data] = [x.data as Float32Array, made.data]
  call.spend(2 * data.length)
  const rows = data.length === 0 ? 0 : data.length / (wide * inner)
  yield* rowsByMoments(values, rows, wide, inner, epsilon, (row, part, from, to, [mean, inverse]) => {
    const at = isPerGroup ? row % groups : (row % groups) * wide + part
    const start = (row * wide + part) * inner
    normalize(values, data, start + from, start + to, mean, inverse, scale[at], bias[at])
  })
  return yield* rounded(made)
}

/** What a layer norm makes: the values, and for each row its mean and the inverse of its deviation. */
function* layerNorm(
  call: Call,
  x: GraphTensor,
  axis: number,
  epsilon: number,
  scales: [GraphTensor, GraphTensor?],
  stash: ElementType,
): Pass<readonly GraphTensor[]> {
  const inner = x.shape.slice(axis)
  const scale = (yield* spreadOver(call, scales[0], inner))!
  const bias = yield* spreadOver(call, scales[1], inner)
  const shape = x.shape.map((size, i) => (i < axis ? size : 1))
  const made = [call.allocate(x.type, x.shape), call.allocate(stash, shape), call.allocate(stash, shape)] as const
  const [data, means, inverses] = made.map((one) => one.data)
  call.spend(2 * data.length)
  const values = x.data as Float32Array
  const length = count(inner)
  yield* rowsByMoments(values, means.length, 1, length, epsilon, (row, _, from, to, [mean, inverse]) => {
    means[row] = mean
    inverses[row] = inverse
    const start = row * length
    for (let i = from; i < to; i++) {
      data[start + i] = (values[start + i] - mean) * inverse * scale[i] + (bias === undefined ? 0 : bias[i])
    }
  })
  for (const one of made) yield* rounded(one)
  return made
}

/** A scale or bias as one value for each of a row's. */
function* spreadOver(
  call: Call,
  tensor: GraphTensor | undefined,
  shape: readonly number[],
): Pass<Float32Array | undefined> {
  if (tensor === undefined) return undefined
  const given = tensor.shape.slice(-shape.length)
  const fits = given.every((size, i) => size === 1 || size === shape[i + shape.length - given.length])
  if (!fits || count(given) !== lengthOf(tensor)) call.fail(`a scale or bias ${list(tensor.shape)} of ${list(shape)}`)
  return (yield* expanded(call, call.view(tensor, given), shape)).data as Float32Array
}

function layerNormalization(call: Call): Pass<readonly GraphTensor[]> {
  const x = call.floats(0)
  const axis = call.axisOf(-1, x.shape.length)
  const stash = typeOfCode(call.integer('stash_type', 1))
  if (stash !== 'float32' && stash !== 'bfloat16') call.fail('stash_type must be 1 (float32) or 16 (bfloat16)')
  const bias = call.inputs[2] && call.floats(2)
  return layerNorm(call, x, axis, call.real('epsilon', 1e-5), [call.floats(1), bias], stash as ElementType)
}

/** onnxruntime's: a layer norm over the last axis of input + skip + bias, and that sum as the fourth output. */
function* skipLayerNormalization(call: Call): Pass<readonly GraphTensor[]> {
  const x = call.floats(0)
  const skip = call.floats(1, x)
  const rank = x.shape.length
  if (rank < 2 || rank > 3) call.fail(`an input of rank ${rank}; 2 or 3 is possible`)
  // The skip may be the same for all rows of the batch.
  const skips = (yield* spreadOver(call, skip, x.shape))!
  const last = x.shape[rank - 1]
  const bias = yield* spreadOver(call, call.inputs[4] && call.floats(4, x), [last])
  const sum = call.allocate(x.type, x.shape)
  yield* inStretches(sum.data.length, (from, to) => {
    for (let i = from; i < to; i++) {
      sum.data[i] = (x.data[i] as number) + skips[i] + (bias === undefined ? 0 : bias[i % last])
    }
  })
  yield* rounded(sum)
  const beta = call.inputs[3] && call.floats(3, x)
  const made = yield* layerNorm(call, sum, rank - 1, call.real('epsilon', 1e-12), [call.floats(2, x), beta], 'float32')
  return [...made, sum]
}

export const norms: Rows = {
  BatchNormalization: rowOf(batchNorm, 5, 5, 'epsilon momentum spatial training_mode'),
  GroupNormalization: rowOf((call) => groupNorm(call, false), 3, 3, 'epsilon num_groups stash_type'),
  InstanceNormalization: rowOf((call) => groupNorm(call, true), 3, 3, 'epsilon'),
  LayerNormalization: rowOf(layerNormalization, 2, 3, 'axis epsilon stash_type'),
}

export const microsoftNorms: Rows = {
  SkipLayerNormalization: rowOf(skipLayerNormalization, 3, 5, 'epsilon'),
}
