/** Norms: values less their mean, by their deviation, over a batch's channel, an instance, a layer, or a group. */

import { list } from '../../errors.ts'
import type { Call } from '../call.ts'
import { inStretches, Pace, type Pass, rowByRow, stretch } from '../pace.ts'
import { rounded } from '../rounding.ts'
import { expanded } from '../strides.ts'
import { count, type ElementType, type GraphData, type GraphTensor, lengthOf, typeOfCode } from '../tensor.ts'
import { type Rows, rowOf } from './row.ts'

/** Mean and 1 / √(variance + ε) of values that lie together; the variance after the mean, so that nothing cancels. */
function* momentsOf(x: Float32Array, start: number, length: number, epsilon: number): Pass<Moments> {
  let [sum, squares] = [0, 0]
  yield* inStretches(length, (from, to) => {
    sum = sumOf(x, start + from, start + to, sum)
  })
  const mean = sum / length
  yield* inStretches(length, (from, to) => {
    squares = squaresOf(x, start + from, start + to, mean, squares)
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

/** A value for each channel. */
function perChannel(call: Call, place: number, channels: number): Float32Array {
  const tensor = call.floats(place)
  if (tensor.shape.length !== 1 || tensor.shape[0] !== channels) {
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
function* groupNorm(call: Call, x: GraphTensor, groups: number, isPerGroup: boolean): Pass<GraphTensor> {
  const [, C, inner] = channelsOf(call, x)
  if (!(groups >= 1 && C % groups === 0)) call.fail(`${groups} groups of ${C} channels`)
  const wide = C / groups
  const [scale, bias] = [1, 2].map((place) => perChannel(call, place, isPerGroup ? groups : C))
  const epsilon = call.real('epsilon', 1e-5)
  const made = call.allocate(x.type, x.shape)
  call.spend(2 * made.data.length)
  const from = x.data as Float32Array
  const pace = new Pace()
  for (let row = 0, start = 0; start < made.data.length; row++, start += wide * inner) {
    const isShort = wide * inner <= stretch
    const [mean, inverse] = isShort
      ? shortMoments(from, start, wide * inner, epsilon)
      : yield* momentsOf(from, start, wide * inner, epsilon)
    const spread = (c: number, first: number, last: number) => {
      const at = isPerGroup ? row % groups : (row % groups) * wide + c
      const own = start + c * inner
      normalize(from, made.data, own + first, own + last, mean, inverse, scale[at], bias[at])
    }
    if (isShort) for (let c = 0; c < wide; c++) spread(c, 0, inner)
    else yield* rowByRow(wide, inner, spread)
    if (pace.isOver(3 * wide * inner + 8)) yield
  }
  return yield* rounded(made)
}

function groupNormalization(call: Call): Pass<GraphTensor> {
  const x = call.floats(0)
  const groups = call.integer('num_groups', undefined) ?? call.fail('num_groups is missing')
  return groupNorm(call, x, groups, call.opset < 21)
}

function instanceNormalization(call: Call): Pass<GraphTensor> {
  const x = call.floats(0)
  return groupNorm(call, x, channelsOf(call, x)[1], false)
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
  const scale = (yield* spreadOver(call, scales[0], inner)).data as Float32Array
  const bias = scales[1] && ((yield* spreadOver(call, scales[1], inner)).data as Float32Array)
  const length = count(inner)
  const shape = x.shape.map((size, i) => (i < axis ? size : 1))
  const [made, means, inverses] = [
    call.allocate(x.type, x.shape),
    call.allocate(stash, shape),
    call.allocate(stash, shape),
  ]
  call.spend(2 * made.data.length)
  const from = x.data as Float32Array
  const pace = new Pace()
  for (let row = 0; row < means.data.length; row++) {
    const start = row * length
    const isShort = length <= stretch
    const [mean, inverse] = isShort
      ? shortMoments(from, start, length, epsilon)
      : yield* momentsOf(from, start, length, epsilon)
    means.data[row] = mean
    inverses.data[row] = inverse
    const spread = (first: number, last: number) => {
      for (let i = first; i < last; i++) {
        made.data[start + i] = (from[start + i] - mean) * inverse * scale[i] + (bias === undefined ? 0 : bias[i])
      }
    }
    if (isShort) spread(0, length)
    else yield* inStretches(length, spread)
    if (pace.isOver(3 * length + 8)) yield
  }
  for (const one of [made, means, inverses]) yield* rounded(one)
  return [made, means, inverses]
}

/** A scale or bias as one value for each of a row's. */
function spreadOver(call: Call, tensor: GraphTensor, shape: readonly number[]): Pass<GraphTensor> {
  const given =
    tensor.shape.length > shape.length ? tensor.shape.slice(tensor.shape.length - shape.length) : tensor.shape
  const fits = given.every((size, i) => size === 1 || size === shape[i + shape.length - given.length])
  if (!fits || count(given) !== lengthOf(tensor)) call.fail(`a scale or bias ${list(tensor.shape)} of ${list(shape)}`)
  return expanded(call, call.view(tensor, given), shape)
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
  const skips = (yield* spreadOver(call, skip, x.shape)).data as Float32Array
  const last = [x.shape[rank - 1]]
  const bias = call.inputs[4] && ((yield* spreadOver(call, call.floats(4, x), last)).data as Float32Array)
  const sum = call.allocate(x.type, x.shape)
  yield* inStretches(sum.data.length, (from, to) => {
    for (let i = from; i < to; i++) {
      sum.data[i] = (x.data[i] as number) + skips[i] + (bias === undefined ? 0 : bias[i % last[0]])
    }
  })
  yield* rounded(sum)
  const beta = call.inputs[3] && call.floats(3, x)
  const made = yield* layerNorm(call, sum, rank - 1, call.real('epsilon', 1e-12), [call.floats(2, x), beta], 'float32')
  return [...made, sum]
}

export const norms: Rows = {
  BatchNormalization: rowOf(batchNorm, 5, 5, 'epsilon momentum spatial training_mode'),
  GroupNormalization: rowOf(groupNormalization, 3, 3, 'epsilon num_groups stash_type'),
  InstanceNormalization: rowOf(instanceNormalization, 3, 3, 'epsilon'),
  LayerNormalization: rowOf(layerNormalization, 2, 3, 'axis epsilon stash_type'),
}

export const microsoftNorms: Rows = {
  SkipLayerNormalization: rowOf(skipLayerNormalization, 3, 5, 'epsilon'),
}
