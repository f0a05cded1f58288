/** Finds when somebody speaks in a sound file: Silero VAD as a live stream, 32 ms at a time, and a picture of what it heard. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Model } from 'native-rnn'
import wavefile from 'wavefile'
import { picture } from './picture.mjs'

const RATE = 16000
// The model hears 512 samples, and the last 64 of those before them.
const CHUNK = 512
const CONTEXT = 64
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

/** For each chunk how probably somebody speaks in it. */
function listen(model, samples) {
  const stream = model.stream({
    states: { state: 'stateN' },
    shapes: { input: [1, CONTEXT + CHUNK] },
  })
  const { input } = stream.inputs
  const probabilities = []
  for (let start = 0; start + CHUNK <= samples.length; start += CHUNK) {
    input.copyWithin(0, CHUNK)
    input.set(samples.subarray(start, start + CHUNK), CONTEXT)
    probabilities.push(stream.step().output[0])
  }
  stream.dispose()
  return probabilities
}

/** From when to when, in seconds: speech begins at `from`, ends below `until`, and neither a short word nor a short pause counts. */
function segmentsOf(probabilities, { from = 0.5, until = 0.35, speech = 0.25, silence = 0.1 } = {}) {
  const seconds = CHUNK / RATE
  const segments = []
  let speaks = false
  probabilities.forEach((probability, i) => {
    const before = speaks
    speaks = probability >= (before ? until : from)
    if (speaks && !before) segments.push({ start: i * seconds, end: Infinity })
    if (before && !speaks) segments.at(-1).end = i * seconds
  })
  if (speaks) segments.at(-1).end = probabilities.length * seconds
  const joined = segments.reduce((all, next) => {
    const last = all.at(-1)
    if (last && next.start - last.end < silence) last.end = next.end
    else all.push(next)
    return all
  }, [])
  return joined.filter(({ start, end }) => end - start >= speech)
}

const file = process.argv[2] ?? at('speech.wav')
const drawing = process.argv[3] ?? at('speech.svg')
const weights = at('../../build/models/silero_vad_16k_op15.onnx')
if (!existsSync(weights)) {
  console.error('The model is not here yet: node scripts/fetch-models.mjs')
  process.exit(1)
}

const model = await Model.load(weights, { constants: { sr: RATE } })
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
writeFileSync(drawing, picture({ samples, rate: RATE, probabilities, chunk: CHUNK, segments }))
console.log(`Picture written to ${drawing}`)
