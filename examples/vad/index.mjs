/** Finds when somebody speaks in a sound file: Silero VAD as a live stream, 32 ms at a time, and a picture of what it heard. */

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import wavefile from 'wavefile'
import { segmentsOf } from './detector.mjs'
import { picture } from './picture.mjs'
import { FRAME, listen, loadSilero } from './silero.mjs'
import { RATE } from './sound.mjs'

const at = (file) => fileURLToPath(new URL(file, import.meta.url))

/** The samples of a WAV file, of its first channel, 16,000 a second. */
function readSound(file) {
  const wav = new wavefile.WaveFile(readFileSync(file))
  if (wav.bitDepth === '8m') wav.fromMuLaw()
  wav.toBitDepth('32f')
  wav.toSampleRate(RATE)
  const samples = wav.getSamples(false, Float32Array)
  return Array.isArray(samples) ? samples[0] : samples
}

const file = process.argv[2] ?? at('speech.wav')
const drawing = process.argv[3] ?? at('speech.svg')

const model = await loadSilero().catch(({ message }) => {
  console.error(message)
  process.exit(1)
})
const samples = readSound(file)
const began = performance.now()
const probabilities = listen(model, samples)
const elapsed = performance.now() - began
const segments = segmentsOf(probabilities)

const length = samples.length / RATE
for (const { start, end } of segments) console.log(`${start.toFixed(2)} s – ${end.toFixed(2)} s`)
console.log(
  `\n${length.toFixed(1)} s of sound in ${elapsed.toFixed(1)} ms, ${((1000 * elapsed) / probabilities.length).toFixed(0)} µs a step, on ${model.backend}`,
)
writeFileSync(drawing, picture({ samples, rate: RATE, probabilities, chunk: FRAME, segments }))
console.log(`Picture written to ${drawing}`)
