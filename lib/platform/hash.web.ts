/** SHA-256 (FIPS 180-4), where the runtime's own makes its caller wait for a promise. */
import { encodeUtf8 } from './text.ts'

const { isArray } = Array
const { floor, sqrt, cbrt, min } = Math

/** The first 32 bits of the fractional parts of roots of the first primes: square roots begin the state, cube roots are the rounds' constants. */
const fraction = (root: number): number => ((root - floor(root)) * 2 ** 32) | 0
const primes: number[] = []
for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime !== 0)) primes[primes.length] = n
const initial = Int32Array.from(primes.slice(0, 8), (prime) => fraction(sqrt(prime)))
const constants = Int32Array.from(primes, (prime) => fraction(cbrt(prime)))

const blockBytes = 64

/** A message that is hashed piece by piece. */
class Hash {
  readonly #state = new Int32Array(initial)
  readonly #words = new Int32Array(64)
  readonly #block = new Uint8Array(blockBytes)
  readonly #view = new DataView(this.#block.buffer)
  #filled = 0
  #bytes = 0

  update(part: string | Uint8Array): void {
    const bytes = typeof part === 'string' ? encodeUtf8(part) : part
    const { length } = bytes
    this.#bytes += length
    for (let at = 0; at < length; ) {
      const count = min(blockBytes - this.#filled, length - at)
      for (let i = 0; i < count; i++) this.#block[this.#filled + i] = bytes[at + i]
      this.#filled += count
      at += count
      if (this.#filled === blockBytes) this.#compress()
    }
  }

  /** Pads the message (a bit, zeros, its length in bits) and gives the hash. */
  digest(): Uint8Array {
    const bits = this.#bytes * 8
    this.#block[this.#filled++] = 0x80
    if (this.#filled > blockBytes - 8) {
      this.#block.fill(0, this.#filled)
      this.#compress()
    }
    this.#block.fill(0, this.#filled)
    this.#view.setUint32(56, floor(bits / 2 ** 32))
    this.#view.setUint32(60, bits)
    this.#compress()
    const digest = new DataView(new ArrayBuffer(32))
    for (let i = 0; i < 8; i++) digest.setInt32(i * 4, this.#state[i])
    return new Uint8Array(digest.buffer)
  }

  #compress(): void {
    const w = this.#words
    for (let t = 0; t < 16; t++) w[t] = this.#view.getInt32(t * 4)
    for (let t = 16; t < 64; t++) {
      const x = w[t - 15]
      const y = w[t - 2]
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10)
      w[t] = (w[t - 16] + s0 + w[t - 7] + s1) | 0
    }
    const state = this.#state
    let [a, b, c, d, e, f, g, h] = state
    for (let t = 0; t < 64; t++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + constants[t] + w[t]) | 0
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
      h = g
      g = f
      f = e
      e = (d + t1) | 0
      d = c
      c = b
      b = a
      a = (t1 + t2) | 0
    }
    state[0] += a
    state[1] += b
    state[2] += c
    state[3] += d
    state[4] += e
    state[5] += f
    state[6] += g
    state[7] += h
    this.#filled = 0
  }
}

/** The 32 bytes of the SHA-256 of all parts in their order. Arrays are read by index, for their iterator may have been replaced. */
export function sha256(parts: readonly (string | Uint8Array)[] | Generator<string | Uint8Array>): Uint8Array {
  const hash = new Hash()
  if (isArray(parts)) for (let i = 0; i < parts.length; i++) hash.update(parts[i])
  else for (const part of parts) hash.update(part)
  return hash.digest()
}
