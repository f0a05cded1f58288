/** How long something took lately: counts of times that are about the same, so that neither memory nor the time to note one grows. Knows no clock. */
import { ceil, clz32, newInts } from '../../intrinsics/captured.ts'

/** Times of which so many high bits agree are one class: none is wider than a sixteenth of its value. */
const bits = 4
const perOctave = 2 ** bits
/** Microseconds up to 2^32 − 1. */
const classes = (32 - bits + 1) * perOctave
const windows = 4

/** Percentiles, in milliseconds. */
export interface Percentiles {
  /** Half were not longer. */
  p50: number
  /** 99 of 100 were not longer. */
  p99: number
}

export class Latencies {
  /** (windows, classes): the newest window takes what is noted, the oldest is the next that is emptied. */
  readonly #counts = newInts(windows * classes)
  #newest = 0

  /** Notes milliseconds, of so many at once; a clock that was moved may make them negative. */
  note(ms: number, times = 1): void {
    this.#counts[this.#newest * classes + classOf(ms * 1000)] += times
  }

  /** Forgets the oldest window, and begins another. */
  turn(): void {
    this.#newest = (this.#newest + 1) % windows
    const from = this.#newest * classes
    for (let i = from; i < from + classes; i++) this.#counts[i] = 0
  }

  /** Within a thirty-second of the true values; zeros where nothing was noted. */
  percentiles(): Percentiles {
    let total = 0
    for (let i = 0; i < windows * classes; i++) total += this.#counts[i]
    return { p50: this.#at(ceil(total * 0.5)), p99: this.#at(ceil(total * 0.99)) }
  }

  /** The middle of the class that has the value of this rank, from 1 up. */
  #at(rank: number): number {
    let sum = 0
    for (let i = 0; i < classes; i++) {
      for (let window = 0; window < windows; window++) sum += this.#counts[window * classes + i]
      if (sum >= rank && sum > 0) return (lowestOf(i) + lowestOf(i + 1)) / 2000
    }
    return 0
  }
}

function classOf(us: number): number {
  const value = us > 0 ? (us < 2 ** 32 ? us >>> 0 : 2 ** 32 - 1) : 0
  if (value < perOctave) return value
  const octave = 31 - clz32(value) - bits
  return (octave + 1) * perOctave + ((value >>> octave) & (perOctave - 1))
}

function lowestOf(index: number): number {
  if (index < perOctave) return index
  const octave = (index - (index % perOctave)) / perOctave - 1
  return (perOctave + (index % perOctave)) * 2 ** octave
}
