/** The error function in double precision; it alone knows its series. */

const twoOverRootPi = 2 / Math.sqrt(Math.PI)
/** From here on the continued fraction needs fewer terms than the series, and this many are enough. */
const far = 3
const terms = 60

/** 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (1·3·…·(2n+1)): every term has the sign of x, so that nothing cancels. */
function series(x: number): number {
  let term = x
  let sum = x
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1)
    sum += term
  }
  return twoOverRootPi * Math.exp(-x * x) * sum
}

/** e^(−x²)/√π / (x + (1/2) / (x + (2/2) / (x + (3/2) / …))), for x of at least `far`. */
function fraction(x: number): number {
  let below = x
  for (let n = terms; n > 0; n--) below = x + n / 2 / below
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / below
}

export function erf(x: number): number {
  if (Math.abs(x) < far) return series(x)
  return Math.abs(x) > 6 ? Math.sign(x) : Math.sign(x) * (1 - fraction(Math.abs(x)))
}

/** 1 − erf(x), exact to its last digits where that is near 0. */
export function erfc(x: number): number {
  if (x > 27) return 0
  return x < far ? 1 - erf(x) : fraction(x)
}
