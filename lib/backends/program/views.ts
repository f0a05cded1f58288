/** Where the values of a program lie: memory, and views of it by strides. Moves of axes cost nothing; it alone knows when they do not. */

import { fail, list } from '../../errors.ts'
import { axesOf, count, type GraphData, type GraphTensor } from '../../graph/tensor.ts'
import type { elementNumber, regionNumber } from '../protocol.ts'

export type Element = keyof typeof elementNumber

/** Bytes of one value. */
export const elementBytes: Readonly<Record<Element, number>> = {
  float32: 4,
  int32: 4,
  int64: 8,
  bool: 1,
  uint8: 1,
  int8: 1,
  float16: 4,
}

let memories = 0

/** A piece of one region. */
export class Memory {
  readonly id = memories++
  readonly region: keyof typeof regionNumber
  readonly bytes: number
  /** Of a constant. */
  readonly data: GraphData | undefined
  /** Of an input of the model: it changes only when everything else is done. */
  isInput = false
  /** From the beginning of the region, once everything has its place. */
  offset = -1
  /** Where it turned out to be a part of another one. */
  within: { readonly memory: Memory; readonly bytes: number } | undefined

  constructor(region: Memory['region'], bytes: number, data: GraphData | undefined) {
    this.region = region
    this.bytes = bytes
    this.data = data
  }
}

/** The value at an index lies `start` plus index · strides from the memory's beginning, all in values. Strides may be 0 or negative. */
export interface View {
  readonly memory: Memory
  readonly type: Element
  readonly start: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]
}

/** Memory of its own for so many values, the axes in this order. */
export function viewIn(
  region: Memory['region'],
  type: Element,
  shape: readonly number[],
  order?: readonly number[],
  data?: GraphData,
): View {
  const memory = new Memory(region, count(shape) * elementBytes[type], data)
  return { memory, type, start: 0, shape, strides: stridesIn(shape, order) }
}

/** Strides of a tensor whose axes lie in memory in this order, the last one the fastest. */
export function stridesIn(shape: readonly number[], order: readonly number[] = axesOf(shape)): number[] {
  const strides = new Array<number>(shape.length)
  let step = 1
  for (const axis of order.toReversed()) {
    strides[axis] = step
    step *= shape[axis]
  }
  return strides
}

/** The order in which the axes lie in memory. Those along which nothing moves stand where they are. */
export function orderOf({ shape, strides }: Pick<View, 'shape' | 'strides'>): number[] {
  const moves = (axis: number) => shape[axis] !== 1 && strides[axis] !== 0
  const moving = axesOf(shape).filter(moves)
  const sorted = moving.toSorted((a, b) => Math.abs(strides[b]) - Math.abs(strides[a]) || a - b)
  return axesOf(shape).map((axis) => (moves(axis) ? sorted.shift()! : axis))
}

/** Whether the values lie together without gaps, in this order of axes. */
export function isDense({ shape, strides }: View, order?: readonly number[]): boolean {
  const dense = stridesIn(shape, order)
  return strides.every((stride, axis) => shape[axis] === 1 || stride === dense[axis])
}

/** Bytes from the memory's beginning to the first value that is looked at, and to the end of the last. */
export function extentOf({ type, start, shape, strides }: View): [first: number, end: number] {
  let [first, last] = [start, start]
  for (const [axis, stride] of strides.entries()) {
    if (stride < 0) first += stride * (shape[axis] - 1)
    else last += stride * (shape[axis] - 1)
  }
  return [first * elementBytes[type], (last + 1) * elementBytes[type]]
}

/** The axes in another order. */
export function permuted(view: View, order: readonly number[]): View {
  return {
    ...view,
    shape: order.map((axis) => view.shape[axis]),
    strides: order.map((axis) => view.strides[axis]),
  }
}

/** `size` values along an axis, from one on, each so many after the other. */
export function sliced(view: View, axis: number, from: number, size: number, step = 1): View {
  const { start, strides } = view
  return {
    ...view,
    start: start + from * strides[axis],
    shape: view.shape.with(axis, size),
    strides: strides.with(axis, strides[axis] * step),
  }
}

/** Repeated to a shape that it broadcasts to. */
export function spread(view: View, shape: readonly number[]): View {
  const missing = shape.length - view.shape.length
  const strides = shape.map((size, axis) => {
    const own = axis - missing
    return own < 0 || (view.shape[own] === 1 && size !== 1) ? 0 : view.strides[own]
  })
  return { ...view, shape, strides }
}

/** For what is computed place by place from these: the order of the largest that is not repeated, once it has this shape. */
export function orderOfLargest(views: readonly View[], shape: readonly number[]): number[] {
  const size = (view: View) => count(view.shape) + (view.memory.data ? 0 : 0.5)
  const [largest] = views.toSorted((a, b) => size(b) - size(a))
  return orderOf(spread(largest, shape))
}

/** The same values in another shape of as many; undefined where they would have to move. */
export function reshaped(view: View, shape: readonly number[]): View | undefined {
  if (count(shape) !== count(view.shape)) fail('ERR_RNN_MODEL_FILE', `${list(view.shape)} has no shape ${list(shape)}`)
  const strides = new Array<number>(shape.length).fill(0)
  const own = axesOf(view.shape).filter((axis) => view.shape[axis] !== 1)
  // Runs of axes on both sides that hold the same number of values.
  let next = 0
  for (let axis = 0; axis < shape.length; ) {
    if (shape[axis] === 1) {
      axis++
      continue
    }
    const begin = axis
    const first = next
    let [wanted, found] = [shape[axis++], view.shape[own[next++]]]
    while (wanted !== found) {
      if (wanted < found) wanted *= shape[axis++]
      else found *= view.shape[own[next++]]
    }
    for (let i = first; i + 1 < next; i++) {
      if (view.strides[own[i]] !== view.strides[own[i + 1]] * view.shape[own[i + 1]]) return undefined
    }
    let step = view.strides[own[next - 1]]
    for (let i = axis - 1; i >= begin; i--) {
      strides[i] = step
      step *= shape[i]
    }
  }
  return { ...view, shape, strides }
}

/** A constant in another order of axes, moved now. */
export function moved(view: View, order: readonly number[] = axesOf(view.shape)): View {
  const { data } = view.memory
  const made = new (data!.constructor as new (length: number) => GraphData)(count(view.shape))
  const axes = order.filter((axis) => view.shape[axis] !== 1)
  const fastest = axes.pop()
  const [length, stride] = fastest === undefined ? [made.length, 0] : [view.shape[fastest], view.strides[fastest]]
  const index = axes.map(() => 0)
  for (let next = 0, at = view.start; next < made.length; next += length) {
    copyRow(data as Float32Array, at, stride, made as Float32Array, next, length)
    for (let k = axes.length - 1; k >= 0; k--) {
      at += view.strides[axes[k]]
      if (++index[k] < view.shape[axes[k]]) break
      at -= view.strides[axes[k]] * view.shape[axes[k]]
      index[k] = 0
    }
  }
  return viewIn('constants', view.type, view.shape, order, made)
}

/** From so many values on a copy by the engine costs less than a loop. */
const longRow = 32

/** `length` values that lie `stride` from each other, to values side by side. */
function copyRow(from: Float32Array, at: number, stride: number, to: Float32Array, next: number, length: number): void {
  if (stride === 1 && length >= longRow) to.set(from.subarray(at, at + length), next)
  else for (let i = 0; i < length; i++) to[next + i] = from[at + i * stride]
}

/** The values of a view of a constant, in the order of its axes: a copy. */
export function valuesOf(view: View): GraphData | undefined {
  return view.memory.data && moved(view).memory.data
}

/** The same, in the constant's own memory where they lie so: nobody may write to them. */
export function valuesIn(view: View): GraphData | undefined {
  const { memory, start, shape } = view
  if (!memory.data || !isDense(view)) return valuesOf(view)
  return memory.data.subarray(start, start + count(shape)) as GraphData
}

/** A tensor as a view of memory of its own. */
export function viewOfTensor({ shape, data }: GraphTensor, type: Element): View {
  return viewIn('constants', type, shape, undefined, data)
}
