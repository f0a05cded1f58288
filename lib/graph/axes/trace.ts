/** Where an axis that is followed through a plan lies in a value; it alone knows how it lies merged with others. */

import { areAlike, count, type GraphTensor } from '../tensor.ts'

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
export const isPlain = (trace: Trace): boolean => isSame(trace, traceAt(trace.axis))

/** How much of what is followed the value has. */
export function lengthOf({ axis, outer, inner, front, behind }: Trace, shape: readonly number[]): number {
  return (shape[axis] - front - behind) / (outer * inner)
}

/** All have their fields in the order of `traceAt`. */
export const isSame = (a: Traced, b: Traced): boolean => JSON.stringify(a) === JSON.stringify(b)

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

/** Whether all of these are known, and hold one and the same all along an axis laid out so. */
export function areEven(tensors: readonly (GraphTensor | undefined)[], trace: Trace): boolean {
  const [own] = tensors
  return own !== undefined && tensors.every((other) => other !== undefined && isEven(own, other, trace))
}

/** Whether a tensor holds the same all along an axis laid out so, and the same as the other one, which may be of another length there. */
function isEven(tensor: GraphTensor, other: GraphTensor, trace: Trace): boolean {
  const { axis, inner } = trace
  const rest = (shape: readonly number[]) => shape.filter((_, i) => i !== axis).join()
  if (tensor.type !== other.type || rest(tensor.shape) !== rest(other.shape)) return false
  const step = inner * count(tensor.shape.slice(axis + 1))
  // With frames around it an axis is nothing but them: the whole of it must be even.
  const reach = ({ shape }: GraphTensor) => step * (shape[axis] / (trace.outer * inner))
  const [own, others] = [reach(tensor), reach(other)]
  return areValues(tensor, (i) => other.data[Math.floor(i / own) * others + (i % step)])
}

/** Whether two tensors are the same. */
export function isEqual(a: GraphTensor, b: GraphTensor): boolean {
  return a === b || (areAlike(a, b) && areValues(a, (i) => b.data[i]))
}

/** Whether a tensor holds these values, bit by bit. */
function areValues({ data }: GraphTensor, expected: (i: number) => unknown): boolean {
  return data.every((value: number | bigint, i: number) => Object.is(value, expected(i)))
}
