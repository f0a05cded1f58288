/** Speech without a microphone: the nine seconds of speech.wav, and minutes made of them; the same samples on every machine. */

import { readFileSync } from 'node:fs'
import { decodeWav, RATE } from './audio.mjs'

export { RATE }

/** The samples of speech.wav. */
export const recorded = () => decodeWav(readFileSync(new URL('speech.wav', import.meta.url)))

/** So many seconds: excerpts, louder and softer, with pauses and noise. Another seed is another call. */
export function speech(seconds, seed = 1) {
  const source = recorded()
  const samples = new Float32Array(seconds * RATE)
  let state = seed
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 8) / 2 ** 24
  }
  for (let at = 0; at < samples.length; ) {
    const from = Math.floor(random() * (source.length - RATE / 2))
    const spoken = Math.min(source.length - from, Math.floor((0.5 + 4 * random()) * RATE))
    const pause = Math.floor(2 * random() ** 2 * RATE)
    const gain = 1.5 * random() ** 2 + 0.02
    const noise = [0, 0.001, 0.01, 0.05][Math.floor(random() * 4)]
    const end = Math.min(at + spoken + pause, samples.length)
    for (let i = 0; at < end; i++, at++) {
      const value = (i < spoken ? gain * source[from + i] : 0) + noise * (2 * random() - 1)
      samples[at] = Math.max(-1, Math.min(1, value))
    }
  }
  return samples
}

/** As a telephone line carries it: 16 bits, little-endian. */
export function toPcm16(samples) {
  const bytes = Buffer.alloc(2 * samples.length)
  for (const [i, value] of samples.entries()) {
    bytes.writeInt16LE(Math.max(-32768, Math.min(32767, Math.round(value * 32768))), 2 * i)
  }
  return bytes
}

/** What `toPcm16` made, as the model takes it. */
export function fromPcm16(bytes) {
  return Float32Array.from({ length: bytes.length >> 1 }, (_, i) => bytes.readInt16LE(2 * i) / 32768)
}
