/** Operators that give the same values other places: most are views, and the rest copies of views. */

import { permutation, sliceOf, splitSizes } from '../../graph/operators/arguments.ts'
import { axesOf, count } from '../../graph/tensor.ts'
import type { Op } from './op.ts'
import { pad } from './pad.ts'
import type { Row, Rows } from './row.ts'
import { orderOf, permuted, sliced, spread, type View } from './views.ts'

const same: Row = (op) => op.view(0)

/** Reshape, Squeeze and their like: the result's shape is settled. */
const shaped: Row = (op) => op.reshape(op.view(0), op.result().shape)

const transpose: Row = (op) => {
  const x = op.view(0)
  return permuted(x, permutation(op.call, x.shape))
}

const slice: Row = (op) => {
  const { starts, axes, steps } = sliceOf(op.call, op.view(0).shape.length)
  return axes.reduce((view, axis, i) => {
    const size = view.shape[axis]
    const from = starts[i] < 0 ? starts[i] + size : starts[i]
    const most = steps[i] > 0 ? size : size - 1
    return sliced(view, axis, Math.min(Math.max(from, 0), most), op.result().shape[axis], steps[i])
  }, op.view(0))
}

const split: Row = (op) => {
  const x = op.view(0)
  const axis = op.call.axisOf(0, x.shape.length)
  let from = 0
  // Outputs that nobody wants have sizes too.
  return splitSizes(op.call, x.shape[axis]).map((part) => {
    const view = sliced(x, axis, from, part)
    from += part
    return view
  })
}

const concat: Row = (op) => {
  const { type, shape } = op.result()
  const parts = op.views.filter((part) => count(part.shape) > 0)
  if (parts.length === 1) return parts[0]
  const axis = op.call.axisOf(1, shape.length)
  const [largest] = parts.toSorted((a, b) => count(b.shape) - count(a.shape))
  const made = op.make(type, shape, orderOf(largest))
  let from = 0
  for (const part of parts) {
    op.emit('copy', [part], [sliced(made, axis, from, part.shape[axis])])
    from += part.shape[axis]
  }
  return made
}

/** Each axis as two, the repeats before it and no step along them. */
const tile: Row = (op) => {
  const { shape } = op.result()
  const x = op.view(0)
  const repeats = shape.map((size, axis) => size / x.shape[axis])
  if (x.shape.every((size, axis) => size === 1 || repeats[axis] === 1)) return spread(x, shape)
  const strides = x.strides.flatMap((stride) => [0, stride])
  const pairs = { ...x, shape: x.shape.flatMap((size, axis) => [repeats[axis], size]), strides }
  return op.reshape(op.run('copy', [pairs], pairs), shape)
}

/** Places that are known and evenly spaced are a slice. */
const gather: Row = (op) => {
  const x = op.view(0)
  const axis = op.call.axisOf(0, x.shape.length)
  const known = op.constant(1)
  const size = x.shape[axis]
  if (known !== undefined) {
    const places = Array.from(known.data as Iterable<number | bigint>, Number).map((at) => (at < 0 ? at + size : at))
    const outside = places.find((at) => !(at >= 0 && at < size))
    if (outside !== undefined) op.fail(`a place outside axis ${axis} of ${size} values`)
    const step = places.length > 1 ? places[1] - places[0] : 1
    if (known.shape.length <= 1 && places.every((at, i) => at === places[0] + i * step)) {
      const view = sliced(x, axis, places[0], places.length, step)
      return known.shape.length === 1 ? view : dropped(view, [axis])
    }
  }
  return op.run('gather', [axis, ...taken(op, x, axis)], op.result())
}

/** What is taken, and from which places. An axis without values has no place: a run is to fail, as it does with any wrong one. */
function taken(op: Op, x: View, axis: number): [x: View, places: View] {
  const own = places(op, 1)
  if (x.shape[axis] > 0) return [x, own]
  return [spread(op.scalar(x.type, 0), x.shape.with(axis, 1)), spread(op.scalar('int64', 1), own.shape)]
}

/** Places are of int32 or int64. */
const places = (op: Op, place: number): View => {
  const view = op.view(place)
  return view.type === 'int32' || view.type === 'int64' ? view : op.cast(view, 'int32')
}

const gatherElements: Row = (op) => {
  const x = op.view(0)
  const axis = op.call.axisOf(0, x.shape.length)
  return op.run('gatherElements', [axis, ...taken(op, x, axis)], op.result())
}

/** Without axes of one value. */
export function dropped(view: View, axes: readonly number[]): View {
  return permuted(
    view,
    axesOf(view.shape).filter((axis) => !axes.includes(axis)),
  )
}

const constantOfShape: Row = (op) => {
  const { type, shape } = op.result()
  const value = op.call.attribute('value') as { data: ArrayLike<number | bigint> } | undefined
  return spread(op.scalar(type, value?.data[0] ?? 0), shape)
}

const range: Row = (op) => op.to.constant(op.computed()[0])

export const movement: Rows = {
  Identity: same,
  Dropout: (op) => [op.view(0), op.wants(1) ? spread(op.scalar(op.result(1).type, 1), op.view(0).shape) : undefined],
  Reshape: shaped,
  Squeeze: shaped,
  Unsqueeze: shaped,
  Flatten: shaped,
  Transpose: transpose,
  Slice: slice,
  Split: split,
  Concat: concat,
  Expand: (op) => spread(op.view(0), op.result().shape),
  Tile: tile,
  Pad: pad,
  Gather: gather,
  GatherElements: gatherElements,
  ConstantOfShape: constantOfShape,
  Range: range,
}
