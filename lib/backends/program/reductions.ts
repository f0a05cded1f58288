/** Operators that make one value of many, or put values in an order, along axes. */

import { reducedAxes, softmaxAxis, topCount } from '../../graph/operators/arguments.ts'
import { axesOf, count } from '../../graph/tensor.ts'
import { reductions as kinds, reduceKind } from '../protocol.ts'
import { wide } from './elementwise.ts'
import { joined } from './emit.ts'
import { dropped } from './movement.ts'
import type { Op } from './op.ts'
import type { Row, Rows } from './row.ts'
import { orderOf, type View } from './views.ts'

type Kind = keyof typeof reduceKind

/** What there is of no values. */
const ofNothing: Readonly<Record<Kind, number>> = {
  sum: 0,
  mean: Number.NaN,
  max: Number.NEGATIVE_INFINITY,
  min: Number.POSITIVE_INFINITY,
  prod: 1,
  l1: 0,
  l2: 0,
  sumSquare: 0,
  logSumExp: Number.NEGATIVE_INFINITY,
}

/** Of one value there is nothing to do, but where its sign or its digits change. */
const keepsOne: readonly Kind[] = ['sum', 'mean', 'max', 'min', 'prod']

/** The axes stay, as axes of 1. */
export function reduced(op: Op, kind: Kind, x: View, axes: readonly number[]): View {
  const shape = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
  // The mean of no integers is 0.
  if (count(x.shape) === 0)
    return op.scalar(x.type, x.type !== 'float32' && kind === 'mean' ? 0 : ofNothing[kind], shape)
  if (axes.every((axis) => x.shape[axis] === 1) && keepsOne.includes(kind)) return x
  const y = op.make(x.type, shape, orderOf(x))
  // Values are added in one order, however they lie.
  const kept = orderOf(x).filter((axis) => !axes.includes(axis))
  const gone = axesOf(shape).filter((axis) => axes.includes(axis))
  const isGone = shape.map((_, axis) => axes.includes(axis))
  const [to, from] = joined([y, x], [...kept, ...gone], isGone)
  op.emit('reduce', [reduceKind[kind], from], [to])
  return y
}

const reduction =
  (kind: Kind): Row =>
  (op) => {
    const { call } = op
    const given = op.view(0)
    const axes = reducedAxes(call, given.shape) ?? []
    const x = wide(op, given)
    const made = op.cast(x.type === 'float32' ? reduced(op, kind, x, axes) : ofIntegers(op, kind, x, axes), given.type)
    return call.flag('keepdims', true) ? made : dropped(made, axes)
  }

/** Sums of magnitudes and squares are sums of what was made of each value first. */
function ofIntegers(op: Op, kind: Kind, x: View, axes: readonly number[]): View {
  if (kind === 'l1') return reduced(op, 'sum', op.map('abs', x), axes)
  if (kind === 'sumSquare') return reduced(op, 'sum', op.zip('mul', x, x), axes)
  return reduced(op, kind, x, axes)
}

const logSum: Row = (op) => op.map('log', reduction('sum')(op) as View)

const argument =
  (kind: 0 | 1): Row =>
  (op) => {
    const { call } = op
    const x = wide(op, op.view(0))
    const axis = call.axisOf(0, x.shape.length)
    const inputs = [kind, Number(call.flag('select_last_index')), axis, x]
    const y = op.run('argReduce', inputs, { type: 'int64', shape: x.shape.with(axis, 1) })
    return call.flag('keepdims', true) ? y : dropped(y, [axis])
  }

/** Before opset 13 over all axes from one on, since then over one. */
const softmax =
  (isLog: 0 | 1): Row =>
  (op) => {
    const { call } = op
    const given = op.view(0)
    const { isOld, axis: at } = softmaxAxis(call, given.shape.length)
    const x = isOld ? op.reshape(given, [count(given.shape.slice(0, at)), count(given.shape.slice(at))]) : given
    const y = op.run('softmax', [isLog, isOld ? 1 : at, x], x, orderOf(x))
    return isOld ? op.reshape(y, given.shape) : y
  }

const topK: Row = (op) => {
  const { call } = op
  const x = wide(op, op.view(0))
  const axis = call.axisOf(-1, x.shape.length)
  const k = topCount(call)
  const shape = x.shape.with(axis, k)
  const [values, indices] = [op.wanted(0, x.type, shape), op.wanted(1, 'int64', shape)]
  op.emit(
    'topK',
    [axis, k, Number(call.flag('largest', true)), Number(call.flag('sorted', true)), x],
    [values, indices],
  )
  return [values && op.cast(values, op.view(0).type), indices]
}

const cumSum: Row = (op) => {
  const { call } = op
  const x = wide(op, op.view(0))
  const axis = call.axis(call.number(1, 'axis'), x.shape.length)
  const inputs = [axis, Number(call.flag('exclusive')), Number(call.flag('reverse')), x]
  return op.cast(op.run('cumSum', inputs, x, orderOf(x)), op.view(0).type)
}

const oneHot: Row = (op) => {
  const { call } = op
  const made = op.result()
  const given = op.view(0)
  const indices = given.type === 'int32' || given.type === 'int64' ? given : op.cast(given, 'int64')
  const axis = call.axisOf(-1, made.shape.length)
  return op.run('oneHot', [axis, made.shape[axis], indices, op.view(2)], made)
}

export const reductions: Rows = {
  ...Object.fromEntries(kinds.map((kind) => [`Reduce${kind[0].toUpperCase()}${kind.slice(1)}`, reduction(kind)])),
  ReduceLogSum: logSum,
  ArgMax: argument(0),
  ArgMin: argument(1),
  Softmax: softmax(0),
  LogSoftmax: softmax(1),
  TopK: topK,
  CumSum: cumSum,
  OneHot: oneHot,
}
