/** Padding: regions of the result that are filled, or copied from what is there already, axis by axis. */

import { padsOf } from '../../graph/operators/arguments.ts'
import { axesOf } from '../../graph/tensor.ts'
import type { Pads } from './lowering.ts'
import type { Op } from './op.ts'
import type { Row } from './row.ts'
import { isStandard } from './uses.ts'
import { orderOf, sliced, spread, type View } from './views.ts'

/** The value around; undefined where it is known only in the run. */
export function padValue(op: Op): number | bigint | undefined {
  return op.optional(2) === undefined ? op.call.real('value', 0) : op.constant(2)?.data[0]
}

/** Zeros along the axes of space go into a convolution that alone reads them. */
function isTaken(op: Op, pads: Pads): boolean {
  const [value] = op.step.outputs
  const reader = op.to.uses.soleReader(value, op.step)
  const all = [...pads.before, ...pads.after]
  const rank = pads.before.length
  const isConv = isStandard(reader, 'Conv') && reader.inputs[0] === value
  if (!isConv || padValue(op) !== 0 || all.some((size, i) => size < 0 || (i % rank < 2 && size > 0))) return false
  op.to.padded.set(value, { view: op.view(0), pads })
  return true
}

/** A region of an axis. */
type Part = [from: number, size: number]

export const pad: Row = (op) => {
  const pads = padsOf(op.call, op.view(0).shape)
  const mode = op.call.text('mode', 'constant')
  if (mode === 'constant' && isTaken(op, pads)) return []
  const { type, shape } = op.result()
  // What is taken away first is not seen in a mirror either.
  const x = axesOf(shape).reduce((view, axis) => {
    const [first, last] = [Math.max(0, -pads.before[axis]), Math.max(0, -pads.after[axis])]
    return sliced(view, axis, first, Math.max(0, view.shape[axis] - first - last))
  }, op.view(0))
  const made = op.make(type, shape, orderOf(x))
  const inner: Part[] = x.shape.map((size, axis) => [Math.max(0, pads.before[axis]), size])
  const part = (parts: readonly Part[]) =>
    parts.reduce((view, [from, size], axis) => sliced(view, axis, from, size), made)
  op.emit('copy', [x], [part(inner)])
  // Each axis is padded over what its predecessors are already as wide as: nothing is written twice.
  const done = [...inner]
  for (const [axis, [before, size]] of inner.entries()) {
    const after = shape[axis] - before - size
    for (const [from, length, isFront] of [[0, before, true] as const, [before + size, after, false] as const]) {
      if (length === 0) continue
      const target = part(done.with(axis, [from, length]))
      if (mode === 'constant') fillWith(op, target)
      else op.emit('copy', [seen(part(done), axis, length, isFront, mode)], [target])
    }
    done[axis] = [0, shape[axis]]
  }
  return made
}

/** What stands in the front or the back of an axis: its edge again and again, or its values mirrored. */
function seen(view: View, axis: number, length: number, isFront: boolean, mode: string): View {
  const size = view.shape[axis]
  if (mode === 'edge') {
    const edge = sliced(view, axis, isFront ? 0 : size - 1, 1)
    return spread(edge, edge.shape.with(axis, length))
  }
  return sliced(view, axis, isFront ? length : size - 2, length, -1)
}

function fillWith(op: Op, target: View): void {
  const value = padValue(op)
  if (value === undefined) op.emit('copy', [spread(op.reshape(op.view(2), []), target.shape)], [target])
  else if (typeof value === 'bigint' && !Number.isSafeInteger(Number(value))) {
    op.emit('copy', [op.scalar('int64', value, target.shape)], [target])
  } else op.emit('fill', [Number(value)], [target])
}
