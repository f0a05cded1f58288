/** Shapes: how many values they hold, whether two are equal, and frozen ones for results. */
import { failShape } from '../errors.ts'
import { freeze } from '../intrinsics/captured.ts'

/** How many values a shape holds; may be past 2^53 and then equals no length. */
export function elements(shape: readonly number[]): number {
  let count = 1
  for (let axis = 0; axis < shape.length; axis++) count *= shape[axis]
  return count
}

/** The indices of the value that so many come before. */
export function placeIn(shape: readonly number[], at: number): number[] {
  const place: number[] = []
  let rest = at
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    place[axis] = rest % shape[axis]
    rest = (rest - place[axis]) / shape[axis]
  }
  return place
}

/** The engine counts values in 32 bits: what would hold more is refused before anything is made. */
export function checkCount(count: number, what: string): void {
  if (count < 2 ** 31) return
  failShape(`${what} would hold ${count} values; at most 2^31 − 1 are possible`)
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false
  return true
}

/** Recent shapes: whoever runs calls of one size gets one array, for freezing takes as long as a small call. */
const shapeCache: (readonly number[])[] = []

/** The frozen shape of two or three axes. */
export function frozenShape(a: number, b: number, c?: number): readonly number[] {
  const place = (a + 5 * b + 3 * (c ?? 0)) & 31
  const known = shapeCache[place]
  if (known !== undefined && known[0] === a && known[1] === b && known[2] === c) return known
  const shape = freeze(c === undefined ? [a, b] : [a, b, c])
  shapeCache[place] = shape
  return shape
}
