/** Pooling: the mean or the greatest of the values in each window, channels last in memory. */

import { type Axis, kernelOf, spatialOf, windowsOf } from '../../graph/operators/window.ts'
import { axesOf } from '../../graph/tensor.ts'
import { poolKind } from '../protocol.ts'
import { channelsFastest, channelsSecond, windowNumbers } from './convolutions.ts'
import type { Op } from './op.ts'
import { reduced } from './reductions.ts'
import type { Row, Rows } from './row.ts'
import { reshaped, spread, type View } from './views.ts'
import { notEmpty, planeOf, windowsIn } from './windows.ts'

function windowed(op: Op, x: View, kind: number): View {
  const { shape } = op.result()
  const [rows, columns] = windowsOver(op)
  const inputs = [kind, ...windowNumbers(rows, columns), rows.after, columns.after, x]
  const made = [x.shape[0], rows.output, columns.output, x.shape[3]]
  return channelsSecond(op.run('pool', inputs, { type: 'float32', shape: made }), shape.length)
}

function windowsOver(op: Op): readonly [rows: Axis, columns: Axis] {
  const { call } = op
  const spatial = spatialOf(call, call.input(0).shape)
  return planeOf(op, windowsOf(call, spatial, kernelOf(call, spatial.length), call.flag('ceil_mode')))
}

const averagePool: Row = (op) => {
  const kind = op.call.flag('count_include_pad') ? poolKind.averageWithPadding : poolKind.average
  return windowed(op, notEmpty(op, channelsFastest(op, op.view(0)), 0), kind)
}

/** Integers of 8 bits are exact as floats. */
const maxPool: Row = (op) => {
  const { type } = op.result()
  const x = notEmpty(op, channelsFastest(op, op.cast(op.view(0), 'float32')), Number.NEGATIVE_INFINITY)
  const made = op.wants(0) ? op.cast(windowed(op, x, poolKind.max), type) : undefined
  return [made, op.wants(1) ? placesOf(op, x) : undefined]
}

/** Of a table of a place for each value of each window. */
const mostPlaces = 2 ** 22

/** Where each greatest value lies in the whole input: the first among those of its window, looked up in a table of places. */
function placesOf(op: Op, x: View): View {
  const [B, H, W, C] = x.shape
  const [rows, columns] = windowsOver(op)
  const taps = rows.kernel * columns.kernel
  const [Ho, Wo] = [rows.output, columns.output]
  if (Ho * Wo * taps > mostPlaces)
    op.fail(`the places in ${Ho * Wo} windows of ${taps} values; at most 2^22 are possible`)
  const windows = windowsIn(op, x, rows, columns, Number.NEGATIVE_INFINITY)
  const lines = op.reshape(windows, [B, Ho, Wo, taps, C])
  const found = op.run('argReduce', [0, 0, 3, lines], { type: 'int64', shape: [B, Ho, Wo, 1, C] })
  const byColumns = op.call.flag('storage_order')
  const table = BigInt64Array.from({ length: Ho * Wo * taps }, (_, i) => {
    const [tap, window] = [i % taps, Math.floor(i / taps)]
    const row = Math.floor(window / Wo) * rows.stride + Math.floor(tap / columns.kernel) * rows.dilation - rows.before
    const column = (window % Wo) * columns.stride + (tap % columns.kernel) * columns.dilation - columns.before
    return BigInt(byColumns ? column * H + row : row * W + column)
  })
  const inPlane = op.to.constant({ type: 'int64', shape: [1, Ho, Wo, taps, 1], data: table })
  const taken = op.run('gatherElements', [3, spread(inPlane, lines.shape), found], found)
  const planes = BigInt64Array.from({ length: B * C }, (_, plane) => BigInt(plane * H * W))
  const offsets = op.to.constant({ type: 'int64', shape: [B, 1, 1, 1, C], data: planes })
  const sums = op.zip('add', taken, offsets)
  return channelsSecond(reshaped(sums, [B, Ho, Wo, C])!, op.result(1).shape.length)
}

const globalPool =
  (kind: 'mean' | 'max'): Row =>
  (op) =>
    reduced(op, kind, op.view(0), axesOf(op.view(0).shape).slice(2))

export const pools: Rows = {
  AveragePool: averagePool,
  MaxPool: maxPool,
  GlobalAveragePool: globalPool('mean'),
  GlobalMaxPool: globalPool('max'),
}
