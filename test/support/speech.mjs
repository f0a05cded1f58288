// Voice detectors: what a step of each takes, and what is decided from its probabilities. The speech is that of examples/vad.

export { speech } from '../../examples/vad/sound.mjs'

const RATE = 16000

/**
 * A voice detector: how many samples it takes at a time, with how many of those before them, and its states.
 * @typedef {object} Detector
 * @property {string} file
 * @property {8000 | 16000} rate
 * @property {boolean} asksRate whether `sr` is an input
 * @property {number} seconds how much speech is recorded
 * @property {Record<string, string>} states
 * @property {number[]} stateShape
 * @property {number} chunk
 * @property {number} context
 */

const sixth = { asksRate: true, states: { state: 'stateN' }, stateShape: [2, 1, 128] }
const wide = { ...sixth, rate: /** @type {const} */ (16000), chunk: 512, context: 64 }
const narrow = { ...sixth, rate: /** @type {const} */ (8000), chunk: 256, context: 32 }

/** @type {readonly Detector[]} */
export const detectors = [
  { ...wide, file: 'silero_vad_16k_op15.onnx', seconds: 240 },
  { ...wide, file: 'silero_vad.onnx', seconds: 30 },
  { ...narrow, file: 'silero_vad.onnx', seconds: 30 },
  { ...wide, file: 'silero_vad_half.onnx', asksRate: false, seconds: 30 },
  { ...wide, file: 'silero_vad_op18_ifless.onnx', seconds: 30 },
  { ...narrow, file: 'silero_vad_op18_ifless.onnx', seconds: 30 },
  { ...wide, file: 'silero_vad_v5.onnx', seconds: 30 },
  {
    ...wide,
    file: 'silero_vad_legacy.onnx',
    seconds: 30,
    context: 0,
    states: { h: 'hn', c: 'cn' },
    stateShape: [2, 1, 64],
  },
]

/** @param {Detector} detector */
export const nameOf = ({ file, rate }) => `${file.replace('.onnx', '')}/${rate}`

/** @param {Float32Array} samples */
function halved(samples) {
  return Float32Array.from({ length: samples.length >> 1 }, (_, i) => (samples[2 * i] + samples[2 * i + 1]) / 2)
}

/**
 * What a detector is given, step by step: each chunk with the samples before it.
 * @param {Detector} detector
 * @param {Float32Array} samples at 16 kHz
 */
export function* chunksOf({ rate, chunk, context }, samples) {
  const heard = rate === RATE ? samples : halved(samples)
  for (let at = 0; at + chunk <= heard.length; at += chunk) {
    const frame = new Float32Array(context + chunk)
    for (let i = 0; i < frame.length; i++) frame[i] = heard[at + i - context] ?? 0
    yield frame
  }
}

/**
 * Whether somebody speaks, chunk by chunk: from a probability of 0.5 on, until it falls below 0.35.
 * @param {ArrayLike<number>} probabilities
 */
export function decisions(probabilities) {
  let speaks = false
  return Array.from(probabilities, (probability) => {
    speaks = probability >= (speaks ? 0.35 : 0.5)
    return speaks
  })
}
