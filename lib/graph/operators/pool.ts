/** Pooling: the mean or the greatest of the values in each window. */

import type { Call } from '../call.ts'
import { Pace, type Pass } from '../pace.ts'
import { rounded } from '../rounding.ts'
import { count, factsOf, type GraphTensor, lengthOf } from '../tensor.ts'
import { greatest, mean, ofFloats, type Reduction } from './reduce.ts'
import { type Rows, rowOf } from './row.ts'
import { type Axis, asPlane, kernelOf, spatialOf, windowAttributes, windowsOf } from './window.ts'

/** Where a window begins on an axis, and the first and the last of its values that lie on it, in steps of the dilation. */
function reach(
  { input, kernel, stride, dilation, before }: Axis,
  window: number,
): [start: number, first: number, end: number] {
  const start = window * stride - before
  const first = Math.max(0, Math.ceil(-start / dilation))
  return [start, first, Math.max(first, Math.min(kernel, Math.floor((input - 1 - start) / dilation) + 1))]
}

/** How many values of a window lie on the axis or its padding, and not behind them. */
function padded({ input, kernel, dilation, after }: Axis, start: number): number {
  return Math.min(kernel, Math.floor((input + after - 1 - start) / dilation) + 1)
}

/** Means, or the greatest values and where each lies in the whole input, counted by rows or by columns. */
function* pool(call: Call, isMax: boolean): Pass<readonly GraphTensor[]> {
  const x = isMax ? call.input(0) : call.floats(0)
  const { kind, range } = factsOf(x.type)
  if (kind === 'bool' || kind === 'big') call.unsupported(`${x.type} is not supported`)
  const spatial = spatialOf(call, x.shape)
  const axes = windowsOf(call, spatial, kernelOf(call, spatial.length), call.flag('ceil_mode'))
  for (const { before, after, kernel, dilation } of axes) {
    if (Math.max(before, after) > (kernel - 1) * dilation) call.fail('pads as large as the window')
  }
  const byColumns = isMax && call.flag('storage_order')
  const made = call.allocate(x.type, [x.shape[0], x.shape[1], ...axes.map(({ output }) => output)])
  const places = isMax && call.node.outputs[1] ? call.allocate('int64', made.shape) : undefined
  const outputs = places ? [made, places] : [made]
  const [rows, columns] = asPlane(axes)
  // What all windows look at; never more than there is.
  call.spend(lengthOf(made) * (4 + Math.min(rows.kernel, rows.input) * (2 + Math.min(columns.kernel, columns.input))))
  if (call.isDry) return outputs
  const withPads = !isMax && call.flag('count_include_pad')
  const from = x.data as Float32Array
  const pace = new Pace()
  for (let next = 0, plane = 0; next < made.data.length; plane++) {
    for (let r = 0; r < rows.output; r++) {
      const [top, firstRow, endRow] = reach(rows, r)
      for (let c = 0; c < columns.output; c++) {
        const [left, first, end] = reach(columns, c)
        let sum = 0
        let most = range === undefined ? -Infinity : range[0]
        let place = -1
        for (let i = firstRow; i < endRow; i++) {
          const at = (plane * rows.input + top + i * rows.dilation) * columns.input + left
          if (!isMax) for (let k = first; k < end; k++) sum += from[at + k * columns.dilation]
          else {
            for (let k = first; k < end; k++) {
              const value = from[at + k * columns.dilation]
              if (!(value > most) && place >= 0 && !Number.isNaN(value)) continue
              most = value
              place = at + k * columns.dilation
            }
          }
        }
        if (places)
          places.data[next] = BigInt(byColumns && place >= 0 ? turned(place, rows.input, columns.input) : place)
        const values = withPads ? padded(rows, top) * padded(columns, left) : (endRow - firstRow) * (end - first)
        made.data[next++] = isMax ? most : values === 0 ? 0 : sum / values
        if (pace.isOver(4 + (endRow - firstRow) * (2 + end - first))) yield
      }
    }
  }
  if (!isMax) yield* rounded(made)
  return outputs
}

/** A place in a plane that is counted column by column. */
function turned(place: number, rows: number, columns: number): number {
  const inner = place % (rows * columns)
  const column = inner % columns
  return place - inner + column * rows + (inner - column) / columns
}

function* globalPool(call: Call, reduction: Reduction): Pass<GraphTensor> {
  const x = call.floats(0)
  const length = count(spatialOf(call, x.shape, Infinity))
  const made = call.allocate(
    x.type,
    x.shape.map((size, axis) => (axis < 2 ? size : 1)),
  )
  if (length === 0 && lengthOf(made) > 0) call.fail('a mean or greatest of no values')
  call.spend(x.data.length)
  yield* ofFloats(x.data as Float32Array, made.data, length, reduction)
  return yield* rounded(made)
}

export const poolings: Rows = {
  AveragePool: rowOf((call) => pool(call, false), 1, 1, `${windowAttributes} ceil_mode count_include_pad`),
  MaxPool: rowOf((call) => pool(call, true), 1, 1, `${windowAttributes} ceil_mode storage_order`),
  GlobalAveragePool: rowOf((call) => globalPool(call, mean), 1, 1),
  GlobalMaxPool: rowOf((call) => globalPool(call, greatest), 1, 1),
}
