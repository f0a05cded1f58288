/** PCM16 as it comes, in messages of any size, and out of it frames as the model takes them: 512 samples, and the 64 before them. */

import { CONTEXT, FRAME } from '../vad/silero.mjs'

/** A frame's bytes where its samples are aligned, for as long as they are turned into floats: several times faster than one read a sample. */
const samples = new Int16Array(FRAME)
const bytes = new Uint8Array(samples.buffer)
const SCALE = 1 / 32768

export class FrameCutter {
  /** What the model is given when `isFull`. */
  input = new Float32Array(CONTEXT + FRAME)
  /** Frames that are done. */
  count = 0
  #filled = 0
  #messages = []
  #offset = 0
  /** Bytes that wait behind the frame. */
  waiting = 0
  /** When the message came that the frame's last byte was in. */
  cameAt = 0

  push(data, now) {
    this.#messages.push({ data, now })
    this.waiting += data.length
  }

  /** Fills the frame with what waits, and says whether it is full. */
  fill() {
    while (this.#filled < FRAME && this.#messages.length > 0) {
      const { data, now } = this.#messages[0]
      const take = Math.min(FRAME - this.#filled, (data.length - this.#offset) >> 1)
      const to = CONTEXT + this.#filled
      data.copy(bytes, 0, this.#offset, this.#offset + 2 * take)
      const { input } = this
      for (let i = 0; i < take; i++) input[to + i] = samples[i] * SCALE
      this.#filled += take
      this.#offset += 2 * take
      this.waiting -= 2 * take
      this.cameAt = now
      if (this.#offset < data.length) break
      this.#messages.shift()
      this.#offset = 0
    }
    return this.#filled === FRAME
  }

  /** The frame is done: its end is the context of the next one. */
  next() {
    this.input.copyWithin(0, FRAME)
    this.#filled = 0
    this.count++
  }

  /** The samples before the next frame. */
  context() {
    return this.input.slice(0, CONTEXT)
  }

  /** Goes on after `count` frames, the last of which ended in `context`. */
  restore(count, context) {
    this.count = count
    this.input.set(context)
  }
}
