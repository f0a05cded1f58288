/** Rows of a batch of a model: where each value has them, and how one is copied from one memory to another. */

import { failOption } from '../errors.ts'
import { rowAxes } from '../graph/axes/rows.ts'
import { count, type ElementType, type GraphData } from '../graph/tensor.ts'
import { setValues } from '../intrinsics/captured.ts'
import type { ModelCore } from './core.ts'
import {
  givenAxis,
  namesIn,
  type Opening,
  planOf,
  type ReadStreamOptions,
  type StreamSizes,
  type StreamValue,
} from './opening.ts'
import { labelOf, shownKey } from './shapes.ts'
import { viewOfData } from './values.ts'

/** How the rows of a value lie: for each of `outer` places one stretch of `inner` values a row. `outer` is 0 for a value that all rows share. */
export interface RowLayout {
  readonly type: ElementType
  readonly outer: number
  readonly inner: number
}

/** How many stretches a row has. */
const stretches = ({ outer }: RowLayout): number => outer || 1

/** Values of one row. */
export const rowLength = (layout: RowLayout): number => stretches(layout) * layout.inner

/** A memory of rows: an array, where in it the rows begin, and how many there are. */
export interface RowsAt {
  readonly data: GraphData
  readonly from: number
  readonly rows: number
}

/** Copies from loops are faster than from views up to about so many values. */
const fewValues = 32

/** Copies a memory of one row to a row of many, or, where `isBack`, that row to it. */
export function copyRow(layout: RowLayout, alone: RowsAt, many: RowsAt, row: number, isBack: boolean): void {
  const { type, inner } = layout
  for (let o = 0; o < stretches(layout); o++) {
    const own = placeOf(layout, alone, 0, o)
    const at = placeOf(layout, many, row, o)
    if (isBack) copyValues(type, alone.data, own, many.data, at, inner)
    else copyValues(type, many.data, at, alone.data, own, inner)
  }
}

/** Where one stretch of a row begins. */
function placeOf({ outer, inner }: RowLayout, { from, rows }: RowsAt, row: number, stretch: number): number {
  return outer === 0 ? from : from + (stretch * rows + row) * inner
}

/** Copies `count` values from one place to another. */
export function copyValues(
  type: ElementType,
  to: GraphData,
  at: number,
  from: GraphData,
  start: number,
  count: number,
): void {
  if (count <= fewValues) for (let i = 0; i < count; i++) to[at + i] = from[start + i]
  else setValues(to, viewOfData(type, from, start, count), at)
}

/** The axis of the rows of each of the model's inputs, where it is to have one. */
export function wantedAxes(
  core: ModelCore,
  { batchAxes = {}, states = {} }: ReadStreamOptions,
): (number | undefined)[] {
  return core.inputs.map(({ name, shape }) => {
    const given = givenAxis(batchAxes, name)
    if (given !== undefined) return given
    if (shape === undefined || shape.length === 0) return undefined
    const axis = Object.hasOwn(states, name) && shape.length === 3 ? 1 : 0
    // A size that the file fixes is none that a batch could have.
    return typeof shape[axis] === 'number' ? undefined : axis
  })
}

/** Sizes that are open in the file and are rows: 1 unless the options say otherwise. */
export function openRows(core: ModelCore, axes: readonly (number | undefined)[]): Map<string, number> {
  const known = new Map<string, number>()
  for (const [i, axis] of axes.entries()) {
    const size = axis === undefined ? undefined : core.inputs[i].shape?.[axis]
    if (typeof size === 'string') known.set(size, 1)
  }
  return known
}

/** The shapes of a batch. */
export function withRows(
  sizes: StreamSizes,
  axes: readonly (number | undefined)[],
  rows: number,
): StreamSizes['shapes'] {
  return sizes.shapes.map((shape, i) => shape.map((size, axis) => (axis === axes[i] ? rows : size)))
}

/** How the rows of all values of a stream lie. */
export interface Layouts {
  readonly states: readonly RowLayout[]
  readonly inputs: readonly RowLayout[]
  readonly outputs: readonly RowLayout[]
}

/** Follows the rows through the graph; throws `ERR_RNN_OPTION` where they do not stay apart, or the graph takes no `most` of them. `opening` is that of one row. */
export function layoutsOf(
  core: ModelCore,
  sizes: StreamSizes,
  axes: readonly (number | undefined)[],
  { states, inputs, outputs }: Opening,
  { batchAxes = {} }: ReadStreamOptions,
  most: number,
): Layouts {
  for (const [i, axis] of axes.entries()) {
    const shape = sizes.shapes[i]
    if (axis === undefined || shape[axis] === 1) continue
    const { label, name } = core.inputs[i]
    if (axis >= shape.length) {
      const rank = `an axis of ${label}, which has ${shape.length}`
      failOption(`${labelOf(name, 'batchAxes')} must be ${rank}, got ${axis}`)
    }
    const how = `batchAxes: { ${shownKey(name)}: … } says which axis has the rows`
    failOption(`${label}.size(${axis}) must be 1, as a stream of a batcher is one row, got ${shape[axis]}; ${how}`)
  }
  const found = rowAxes((rows) => planOf(core, sizes, withRows(sizes, axes, rows)).plan, namesIn(core), most)
  const layout = ({ type, shape }: StreamValue, axis: number | undefined): RowLayout => {
    const size = (from: number, to: number) => count(shape.slice(from, to))
    if (axis === undefined) return { type, outer: 0, inner: size(0, shape.length) }
    // Where there are no values at all, nothing is copied.
    const [outer, inner] = [size(0, axis), size(axis + 1, shape.length)]
    return outer === 0 ? { type, outer: 1, inner: 0 } : { type, outer, inner }
  }
  const own = (value: StreamValue) => {
    const axis = found.inputs[value.place]
    if (axis !== undefined) return layout(value, axis)
    const { label, name } = value
    const how = `Model.read with constants: { ${shownKey(name)}: … } makes it one that all have`
    return failOption(`${label} has no axis for rows, and cannot be another for each stream; ${how}`)
  }
  return {
    states: states.map(own),
    inputs: inputs.map(own),
    outputs: outputs.map((value) => {
      const axis = found.outputs[value.place]
      const given = givenAxis(batchAxes, value.name)
      if (given === undefined || given === axis) return layout(value, axis)
      const where = axis === undefined ? 'has no axis for rows' : `has its rows in axis ${axis}`
      return failOption(`${labelOf(value.name, 'batchAxes')} must be left out: the output ${where}, got ${given}`)
    }),
  }
}
