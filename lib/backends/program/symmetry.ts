/** Filters that are the same in both directions, but for the sign of the last of them: a window takes half the products of such ones. */

import type { Axis } from '../../graph/operators/window.ts'

/** From this many taps on. */
const fewestTaps = 16

/** How rows of taps are symmetric. */
export interface Symmetry {
  /** Whether the first tap is 0 and stands outside: a periodic window. */
  readonly first: 0 | 1
  /** Taps of a row up to the middle. */
  readonly kept: number
  /** Rows that are the same backwards; those behind them are so with the other sign. */
  readonly even: number
}

/** The symmetry of (N, taps); undefined where there is none. */
export function symmetryOf(weights: ArrayLike<number>, taps: number): Symmetry | undefined {
  const N = weights.length / taps
  const isSymmetric = (n: number, first: number, sign: number) => {
    for (let i = n * taps + first, j = (n + 1) * taps - 1; i <= j; i++, j--) {
      if (weights[i] !== sign * weights[j]) return false
    }
    return first === 0 || weights[n * taps] === 0
  }
  for (const first of [1, 0] as const) {
    let n = 0
    while (n < N && isSymmetric(n, first, 1)) n++
    const even = n
    while (n < N && isSymmetric(n, first, -1)) n++
    if (n === N) return { first, kept: first + Math.ceil((taps - first) / 2), even }
  }
  return undefined
}

/** Whether windows over rows and columns are of one axis, over an input of (B, H, W, C) with one channel. */
export function areOfOneChannel(rows: Axis, columns: Axis, [, H, , C]: readonly number[]): boolean {
  const isOneRow = H === 1 && rows.kernel === 1 && rows.output === 1 && rows.before === 0
  return C === 1 && isOneRow && columns.dilation === 1 && columns.kernel >= fewestTaps
}
