/** What Silero VAD hears at a time, and the sound of a file; knows no Node, so that pages have it too. */

/** Samples a second. */
export const RATE = 16000
/** The model hears 512 samples, and the last 64 of those before them. */
export const FRAME = 512
export const CONTEXT = 64
/** A model's output becomes its state; its input is one frame with context. */
export const streamOptions = { states: { state: 'stateN' }, shapes: { input: [1, CONTEXT + FRAME] } }

/** The samples of a WAV file whose bytes are G.711's μ-law, as those of speech.wav are. */
export function decodeWav(bytes) {
  const start =
    Array.from(bytes.subarray(0, 100), (byte) => String.fromCharCode(byte))
      .join('')
      .indexOf('data') + 8
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(start - 4, true)
  const decode = (byte) => {
    const turned = ~byte & 255
    const size = ((((turned & 15) << 3) + 132) << ((turned >> 4) & 7)) - 132
    return (turned & 128 ? -size : size) / 32768
  }
  return Float32Array.from(bytes.subarray(start, start + length), decode)
}
