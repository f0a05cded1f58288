/** Runs beside the page: sound as it comes from the microphone, in blocks of 512 samples of 16 bits. */

class Recorder extends AudioWorkletProcessor {
  #block = new Int16Array(512)
  #filled = 0

  process([[channel]]) {
    for (const value of channel ?? []) {
      this.#block[this.#filled++] = Math.max(-32768, Math.min(32767, Math.round(value * 32768)))
      if (this.#filled < this.#block.length) continue
      this.port.postMessage(this.#block.buffer, [this.#block.buffer])
      this.#block = new Int16Array(512)
      this.#filled = 0
    }
    return true
  }
}

registerProcessor('recorder', Recorder)
