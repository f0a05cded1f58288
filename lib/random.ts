/** Reproducible random numbers for initial weights: xoshiro128**, its state filled by SplitMix32. */

/**
 * Makes a generator of uniform numbers in [0, 1), multiples of 2^-24.
 *
 * Source: D. Blackman, S. Vigna, "Scrambled linear pseudorandom number generators" (2018).
 *
 * @param seed any safe integer; left out: a different sequence each time
 */
export function uniform(seed?: number): () => number {
  const state = new Uint32Array(4)
  if (seed === undefined) crypto.getRandomValues(state)
  else expand(seed, state)
  let [a, b, c, d] = state
  return () => {
    const scrambled = Math.imul(rotate(Math.imul(b, 5), 7), 9)
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotate(d, 11)
    return (scrambled >>> 8) / 2 ** 24
  }
}

/** Makes a generator of standard normal numbers out of a uniform one (Box and Muller, 1958). */
export function normal(next: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
}

function rotate(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits))
}

/** All 53 bits and the sign of the seed count. */
function expand(seed: number, state: Uint32Array): void {
  const high = Math.floor(seed / 2 ** 32)
  let x = (seed >>> 0) ^ Math.imul(high, 0x9e3779b1)
  for (let i = 0; i < state.length; i++) {
    x = (x + 0x9e3779b9) | 0
    let z = x ^ (x >>> 16)
    z = Math.imul(z, 0x21f0aaad)
    z ^= z >>> 15
    z = Math.imul(z, 0x735a2d97)
    state[i] = z ^ (z >>> 15)
  }
}
