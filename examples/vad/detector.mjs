/** From the probability of speech in each frame to when somebody speaks: the events of a live call, or the segments of a whole sound. */

import { FRAME, RATE } from './audio.mjs'

/**
 * threshold: speech begins at this probability; negativeThreshold: it ends below this one, 0.15 less if left out; minSpeechMs: what is
 * shorter is none; minSilenceMs: a shorter pause ends nothing; padMs: how much before and after belongs to it
 */
export const detectorDefaults = { threshold: 0.5, minSpeechMs: 250, minSilenceMs: 100, padMs: 30 }

const samplesOf = (milliseconds) => Math.round((milliseconds * RATE) / 1000)

/**
 * A live detector. A start is told when the speech has lasted `minSpeechMs`, an end when the silence after it has lasted `minSilenceMs`, each
 * with the time that it happened at.
 */
export class SpeechDetector {
  #options
  /** Samples heard; where speech began that may become a segment; where it fell silent; -1: nowhere. */
  #heard = 0
  #start = -1
  #quiet = -1
  #told = false
  /** Where the segment before this one ended. */
  #last = 0

  /** @param saved what `save` gave: it goes on from there */
  constructor(options = {}, saved) {
    const { threshold, minSpeechMs, minSilenceMs, padMs, negativeThreshold } = { ...detectorDefaults, ...options }
    this.#options = {
      threshold,
      negativeThreshold: negativeThreshold ?? Math.max(threshold - 0.15, 0.01),
      minSpeech: samplesOf(minSpeechMs),
      minSilence: samplesOf(minSilenceMs),
      pad: samplesOf(padMs),
    }
    if (saved) [this.#heard, this.#start, this.#quiet, this.#told, this.#last] = saved
  }

  /** @returns the event that this frame's probability brings about, `{ type, at }` with the time in seconds; undefined for none */
  push(probability) {
    const { threshold, negativeThreshold, minSpeech, minSilence } = this.#options
    const from = this.#heard
    this.#heard += FRAME
    if (probability >= threshold) {
      this.#quiet = -1
      if (this.#start < 0) this.#start = from
    } else if (this.#start >= 0 && this.#quiet < 0 && probability < negativeThreshold) this.#quiet = from
    if (this.#start < 0) return undefined
    if (this.#quiet >= 0) return this.#heard - this.#quiet >= minSilence ? this.#end(this.#quiet) : undefined
    return !this.#told && this.#heard - this.#start >= minSpeech ? this.#begin() : undefined
  }

  /** The sound is over: the event of a segment that had not ended. */
  finish() {
    return this.#start < 0 ? undefined : this.#end(this.#quiet < 0 ? this.#heard : this.#quiet)
  }

  /** All that it knows, as JSON can hold it. */
  save() {
    return [this.#heard, this.#start, this.#quiet, this.#told, this.#last]
  }

  #begin() {
    this.#told = true
    return { type: 'speech-start', at: Math.max(this.#last, this.#start - this.#options.pad) / RATE }
  }

  #end(quiet) {
    const told = this.#told
    this.#start = -1
    this.#quiet = -1
    this.#told = false
    if (!told) return undefined
    this.#last = Math.min(quiet + this.#options.pad, this.#heard)
    return { type: 'speech-end', at: this.#last / RATE }
  }
}

/** From when to when somebody speaks in a whole sound, in seconds. */
export function segmentsOf(probabilities, options) {
  const detector = new SpeechDetector(options)
  const events = probabilities.map((probability) => detector.push(probability))
  const times = [...events, detector.finish()].filter((event) => event).map(({ at }) => at)
  return Array.from({ length: times.length / 2 }, (_, n) => ({ start: times[2 * n], end: times[2 * n + 1] }))
}
