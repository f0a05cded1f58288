/** Moves of values between layouts; it alone walks through memory by strides. */

import { sameShape } from '../tensor/shape.ts'
import type { Call } from './call.ts'
import { Pace, type Pass, stretch } from './pace.ts'
import { axesOf, type GraphData, type GraphTensor } from './tensor.ts'

/** How many values lie between neighbours along each axis of a dense tensor. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides: number[] = []
  let step = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step
    step *= shape[axis]
  }
  return strides
}

/** A tensor whose value at an index lies in `from` at `start` plus index · strides. Strides may be 0 or negative. */
export function* gathered(
  call: Call,
  from: GraphTensor,
  shape: readonly number[],
  strides: readonly number[],
  start = 0,
): Pass<GraphTensor> {
  const made = call.allocate(from.type, shape)
  const to = made.data
  if (to.length === 0) return made
  // An axis of one value moves nothing, and would make the innermost loop short.
  const axes = axesOf(shape).filter((axis) => shape[axis] !== 1)
  const inner = axes.pop()
  const [length, step] = inner === undefined ? [1, 1] : [shape[inner], strides[inner]]
  const index = axes.map(() => 0)
  const pace = new Pace()
  for (let at = start, next = 0; ; ) {
    for (let i = 0; i < length; i += stretch) {
      const part = Math.min(stretch, length - i)
      copyRun(from.data, at + i * step, step, to, next + i, part)
      if (pace.isOver(part + 4)) yield
    }
    next += length
    if (next >= to.length) return made
    for (let k = axes.length - 1; k >= 0; k--) {
      at += strides[axes[k]]
      if (++index[k] < shape[axes[k]]) break
      at -= strides[axes[k]] * shape[axes[k]]
      index[k] = 0
    }
  }
}

function copyRun(from: GraphData, at: number, step: number, to: GraphData, next: number, length: number): void {
  if (step === 1 && length > 16) to.set(from.subarray(at, at + length) as never, next)
  else for (let i = 0; i < length; i++) to[next + i] = from[at + i * step]
}

/** The shape that shapes have together: axes are matched from the last one on, and 1 gives way. */
export function broadcast(call: Call, ...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map(({ length }) => length))
  return Array.from({ length: rank }, (_, axis) => {
    let size = 1
    for (const shape of shapes) {
      const own = shape[axis - rank + shape.length] ?? 1
      if (own === size || own === 1) continue
      if (size !== 1) call.fail(`shapes that do not fit each other: ${shapes.map((one) => `(${one})`).join(', ')}`)
      size = own
    }
    return size
  })
}

/** A tensor repeated to a shape that it broadcasts to; itself where there is nothing to repeat. */
export function* expanded(call: Call, tensor: GraphTensor, shape: readonly number[]): Pass<GraphTensor> {
  const missing = shape.length - tensor.shape.length
  if (sameShape(tensor.shape, shape)) return tensor
  const own = stridesOf(tensor.shape)
  const strides = shape.map((_, axis) =>
    axis < missing || tensor.shape[axis - missing] === 1 ? 0 : own[axis - missing],
  )
  return yield* gathered(call, tensor, shape, strides)
}

/** A tensor with its axes in another order. */
export function* transposed(call: Call, tensor: GraphTensor, order: readonly number[]): Pass<GraphTensor> {
  const strides = stridesOf(tensor.shape)
  return yield* gathered(
    call,
    tensor,
    order.map((axis) => tensor.shape[axis]),
    order.map((axis) => strides[axis]),
  )
}
