/** Norms: values less their mean, by their deviation. */

import { axesOf, count } from '../../graph/tensor.ts'
import { batchNorm } from './fuse.ts'
import type { Op } from './op.ts'
import { reduced } from './reductions.ts'
import type { Row, Rows } from './row.ts'
import { orderOf, spread, type View } from './views.ts'

/** Over the last axes of x, which must lie together. */
function norm(op: Op, given: View, axes: number, epsilon: number, scale?: View, bias?: View): View {
  const rank = given.shape.length
  const order = orderOf(given)
  const areLast = order.slice(rank - axes).every((axis, i) => axis === rank - axes + i)
  const x = op.dense(given, areLast ? order : axesOf(order))
  const wide = (view: View | undefined) => view && spread(view, x.shape)
  return op.run('norm', [epsilon, axes, x, wide(scale), wide(bias)], x, orderOf(x))
}

/** One value for each channel, along the second of so many axes. */
const perChannel = (op: Op, view: View, rank: number): View =>
  op.reshape(view, [view.shape[0], ...new Array<number>(rank - 2).fill(1)])

const batchNormalization: Row = (op) => {
  const x = op.view(0)
  const rank = x.shape.length
  const line = batchNorm(op)
  const wide = (values: Float64Array) => perChannel(op, op.floats(Float32Array.from(values), [values.length]), rank)
  if (line) return op.zip('add', op.zip('mul', x, wide(line.scale)), wide(line.shift))
  const [, scale, bias, mean, variance] = op.views
  const safe = op.zip('add', variance, op.scalar('float32', op.call.real('epsilon', 1e-5)))
  const factor = op.zip('div', scale, op.map('sqrt', safe))
  const centred = op.zip('sub', x, perChannel(op, mean, rank))
  return op.zip('add', op.zip('mul', centred, perChannel(op, factor, rank)), perChannel(op, bias, rank))
}

/** Over groups of neighbouring channels; an instance norm has as many groups as channels. */
function groups(op: Op, number: number, isPerGroup: boolean): View {
  const x = op.view(0)
  const [N, C, ...space] = x.shape
  const own = isPerGroup ? [number, 1] : [number, C / number]
  const parameter = (place: number) => op.reshape(op.view(place), [...own, 1])
  const wide = op.reshape(x, [N, number, C / number, count(space)])
  return op.reshape(norm(op, wide, 2, op.call.real('epsilon', 1e-5), parameter(1), parameter(2)), x.shape)
}

/** A scale or bias, which may have axes of 1 in front. */
function trailing(op: Op, view: View, axes: number): View {
  return view.shape.length > axes ? op.reshape(view, view.shape.slice(view.shape.length - axes)) : view
}

function layers(op: Op, x: View, axes: number, epsilon: number, scale?: View, bias?: View) {
  const made = norm(op, x, axes, epsilon, scale && trailing(op, scale, axes), bias && trailing(op, bias, axes))
  if (!op.wants(1) && !op.wants(2)) return [made]
  const last = axesOf(x.shape).slice(x.shape.length - axes)
  const mean = reduced(op, 'mean', x, last)
  const centred = op.zip('sub', x, mean)
  const variance = reduced(op, 'mean', op.zip('mul', centred, centred), last)
  const safe = op.zip('add', variance, op.scalar('float32', epsilon))
  return [made, mean, op.map('reciprocal', op.map('sqrt', safe))]
}

const layerNormalization: Row = (op) => {
  const x = op.view(0)
  const axes = x.shape.length - op.call.axisOf(-1, x.shape.length)
  return layers(op, x, axes, op.call.real('epsilon', 1e-5), op.optional(1), op.optional(2))
}

/** onnxruntime's: over the last axis of input + skip + bias, and that sum as the fourth output. */
const skipLayerNormalization: Row = (op) => {
  const x = op.view(0)
  const skip = trailing(op, op.view(1), x.shape.length)
  const bias = op.optional(4)
  const both = op.zip('add', x, skip)
  const sum = bias ? op.zip('add', both, bias) : both
  const [made, mean, inverse] = layers(op, sum, 1, op.call.real('epsilon', 1e-12), op.view(2), op.optional(3))
  return [made, mean, inverse, sum]
}

export const norms: Rows = {
  BatchNormalization: batchNormalization,
  GroupNormalization: (op) => groups(op, op.call.integer('num_groups', 1), op.call.opset < 21),
  InstanceNormalization: (op) => groups(op, op.view(0).shape[1], false),
  LayerNormalization: layerNormalization,
}

export const microsoftNorms: Rows = { SkipLayerNormalization: skipLayerNormalization }
