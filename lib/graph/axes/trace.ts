/** Where an axis that is followed through a plan lies in a value; it alone knows how it lies merged with others. */

import { count, type GraphTensor } from '../tensor.ts'

/**
 * The followed axis of a value. Along `axis` lie `outer` · n · `inner` values, the followed one in the middle, where a reshape merged it with
 * others; before the first of them `front` more and behind the last `behind`, which paddings put there.
 */
export interface Trace {
  readonly axis: number
  readonly outer: number
  readonly inner: number
  readonly front: number
  readonly behind: number
}

/** `newest`: the value has no such axis and is that of the newest frame. Undefined: it does not depend on what is followed. */
export type Traced = Trace | 'newest' | undefined

export const traceAt = (axis: number): Trace => ({ axis, outer: 1, inner: 1, front: 0, behind: 0 })

/** Whether nothing is merged with the axis or put around it. */
export function isPlain({ outer, inner, front, behind }: Trace): boolean {
  return outer === 1 && inner === 1 && front === 0 && behind === 0
}

/** How much of what is followed the value has. */
export function lengthOf({ axis, outer, inner, front, behind }: Trace, shape: readonly number[]): number {
  return (shape[axis] - front - behind) / (outer * inner)
}

export function isSame(a: Trace, b: Trace): boolean {
  return a.axis === b.axis && a.outer === b.outer && a.inner === b.inner && a.front === b.front && a.behind === b.behind
}

/**
 * Where the axis is after its values, in their order, got another shape; undefined where it is in pieces. Neighbours lie as far apart as
 * before: one axis of the new shape must hold that whole range of distances.
 */
export function relocated(trace: Trace, from: readonly number[], to: readonly number[]): Trace | undefined {
  if (trace.front > 0 || trace.behind > 0) return undefined
  const step = trace.inner * count(from.slice(trace.axis + 1))
  const reach = step * lengthOf(trace, from)
  for (let axis = to.length - 1, below = 1; axis >= 0; below *= to[axis--]) {
    const above = below * to[axis]
    if (step % below === 0 && above % reach === 0) {
      return { ...traceAt(axis), outer: above / reach, inner: step / below }
    }
  }
  return undefined
}

/** Whether a tensor holds the same all along an axis laid out so, and the same as the other one, which may be of another length there. */
export function isEven(tensor: GraphTensor, other: GraphTensor, trace: Trace): boolean {
  const { axis, inner } = trace
  const rest = (shape: readonly number[]) => shape.filter((_, i) => i !== axis).join()
  if (tensor.type !== other.type || rest(tensor.shape) !== rest(other.shape)) return false
  const step = inner * count(tensor.shape.slice(axis + 1))
  // With frames around it an axis is nothing but them: the whole of it must be even.
  const reach = ({ shape }: GraphTensor) => step * (shape[axis] / (trace.outer * inner))
  const [own, others] = [reach(tensor), reach(other)]
  for (let i = 0; i < tensor.data.length; i++) {
    const at = Math.floor(i / own) * others + (i % step)
    if (!Object.is(tensor.data[i], other.data[at])) return false
  }
  return true
}

/** Whether two tensors are the same. */
export function isEqual(a: GraphTensor, b: GraphTensor): boolean {
  if (a === b) return true
  if (a.type !== b.type || a.shape.join() !== b.shape.join()) return false
  for (let i = 0; i < a.data.length; i++) if (!Object.is(a.data[i], b.data[i])) return false
  return true
}
