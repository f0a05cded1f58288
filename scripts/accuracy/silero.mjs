/** Silero's voice detectors over minutes of speech, where `node scripts/fetch-models.mjs` has fetched them. */
import { existsSync, readFileSync } from 'node:fs'
import { Model } from 'native-rnn'
import { chunksOf, decisions, detectors, speech } from '../../test/support/speech.mjs'

const at = (file) => new URL(`../../build/models/${file}`, import.meta.url)
const versions = {
  'silero_vad_16k_op15.onnx': '6',
  'silero_vad_v5.onnx': '5',
  'silero_vad_legacy.onnx': '4',
}

/**
 * @param {number} minutes of speech
 * @returns {import('./compare.mjs').Subject[]}
 */
export function silero(minutes) {
  const there = detectors.filter(({ file, rate }) => file in versions && rate === 16000 && existsSync(at(file)))
  if (there.length === 0) console.log('No Silero models: `node scripts/fetch-models.mjs` fetches them\n')
  return there.map((detector) => ({
    name: `Silero VAD ${versions[detector.file]}: a whole model with Conv and LSTM, as a stream over ${minutes === 1 ? 'a minute' : `${minutes} minutes`} of speech`,
    decision: 'whether somebody speaks',
    unit: '',
    run(format) {
      const model = Model.read(readFileSync(at(detector.file)), {
        ...format,
        constants: detector.asksRate ? { sr: detector.rate } : {},
      })
      const states = Object.keys(detector.states).map((name) => [name, detector.stateShape])
      const shapes = { input: [1, detector.context + detector.chunk], ...Object.fromEntries(states) }
      const stream = model.stream({ states: detector.states, shapes })
      const numbers = []
      for (const chunk of chunksOf(detector, speech(60 * minutes))) numbers.push(stream.step(chunk).output[0])
      return { decisions: decisions(numbers), numbers, bytes: model.memory().weights }
    },
  }))
}
