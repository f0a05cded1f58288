/** Reproducible random numbers for initial weights: xoshiro128**, its state filled by SplitMix32. */

import { cos, floor, imul, log, newDoubles, newInts, sqrt, zeros } from '../intrinsics/captured.ts'
import { typedArrayName } from '../intrinsics/typed-arrays.ts'

/** Writes random numbers in [−bound, bound) to target[begin] … target[end − 1], and moves the state of the generator on. */
export type Fill = (state: Int32Array, target: Float32Array, begin: number, end: number, bound: number) => void

/**
 * A generator of uniform numbers, 24 bits each.
 *
 * Source: D. Blackman, S. Vigna, "Scrambled linear pseudorandom number generators" (2018).
 */
export class Uniform {
  readonly #state = newInts(4)
  readonly #one = newDoubles(1)
  readonly #fill: Fill | undefined

  /**
   * @param seed any safe integer; left out: a different sequence each time
   * @param fill what draws float32 numbers faster than the loop below, where there is such a thing: native/spec/random.h, the same numbers
   */
  constructor(seed?: number, fill?: Fill) {
    this.#fill = fill
    if (seed === undefined) for (let i = 0; i < 4; i++) this.#state[i] = Math.random() * 2 ** 32
    else expand(seed, this.#state)
  }

  /** The next number in [0, 1). */
  next(): number {
    this.fill(this.#one, 0, 1, 1)
    return (this.#one[0] + 1) / 2
  }

  /** Writes numbers in [−bound, bound) to target[begin] … target[end − 1]. One loop over locals: it is hot from its first call. */
  fill(target: Float32Array | Float64Array, begin: number, end: number, bound: number): void {
    if (this.#fill && typedArrayName(target) === 'Float32Array') {
      this.#fill(this.#state, target as Float32Array, begin, end, bound)
      return
    }
    const state = this.#state
    let a = state[0]
    let b = state[1]
    let c = state[2]
    let d = state[3]
    const scale = bound / 2 ** 23
    for (let i = begin; i < end; i++) {
      const five = imul(b, 5)
      const scrambled = imul((five << 7) | (five >>> 25), 9)
      target[i] = ((scrambled >>> 8) - 2 ** 23) * scale
      const shifted = b << 9
      c ^= a
      d ^= b
      b ^= c
      a ^= d
      c ^= shifted
      d = (d << 11) | (d >>> 21)
    }
    this.#state[0] = a
    this.#state[1] = b
    this.#state[2] = c
    this.#state[3] = d
  }

  /** So many standard normal numbers (Box and Muller, 1958). */
  normals(count: number): Float32Array {
    const values = zeros(count)
    for (let i = 0; i < count; i++) values[i] = sqrt(-2 * log(1 - this.next())) * cos(2 * Math.PI * this.next())
    return values
  }
}

/** All 53 bits and the sign of the seed count. */
function expand(seed: number, state: Int32Array): void {
  const high = floor(seed / 2 ** 32)
  let x = (seed >>> 0) ^ imul(high, 0x9e3779b1)
  for (let i = 0; i < 4; i++) {
    x = (x + 0x9e3779b9) | 0
    let z = x ^ (x >>> 16)
    z = imul(z, 0x21f0aaad)
    z ^= z >>> 15
    z = imul(z, 0x735a2d97)
    state[i] = z ^ (z >>> 15)
  }
}
